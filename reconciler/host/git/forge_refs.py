"""Decides what is pushed to the forge, and reads what came of it. Pure: compares refs, and parses what git prints."""

import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from reconciler.host.git.refs import HEADS, TAGS
from reconciler.host.text import decoded, one_line

PUSHED = "refs/pushed/"
"""In our mirror: the refs that the forge had when it was last looked at, each under its name without `refs/`."""

_AT_ONCE = 500
_REF = re.compile(rb"([0-9a-f]{40})\t(refs/[^\t]+)")
_STATUS = re.compile(rb"([ +\-*!=])\t([^:\t]*):([^\t]+)\t(.*)")
_REASON = re.compile(rb"\((.*)\)$")


@frozen
class ForgePlan:
    """What to push to the forge. `missing` are the full names of the refs to push.

    `problems` has a sentence for each tag that is not pushed, because somebody changed it on the forge.
    """

    missing: tuple[str, ...]
    problems: tuple[str, ...]


def split_refs(mirror: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return two mappings of full ref names to object ids: what the forge should have, and what it had before.

    `mirror` has the refs of our mirror. Its branches and tags are what the forge should have. Its refs below
    `refs/pushed/` are what the forge had when it was last looked at, and get their names there. Other refs are left
    out.
    """
    pushed = {name.replace(PUSHED, "refs/", 1): oid for name, oid in mirror.items() if name.startswith(PUSHED)}
    return {name: oid for name, oid in mirror.items() if name.startswith((HEADS, TAGS))}, pushed


def plan_push(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> ForgePlan:
    """Return which of the refs `wanted` to push: those that the forge lacks, or has with another object.

    `forge` are the refs there now, `pushed` those that it had when it was last looked at; all are object ids by full
    names. Two kinds of tags are not pushed, because a person has changed them on the forge: a tag that names another
    object there, and one that was there before and is gone. The result has a sentence about each.
    """
    tags = {name: oid for name, oid in wanted.items() if name.startswith(TAGS)}
    moved = [name for name, oid in tags.items() if forge.get(name, oid) != oid]
    dropped = [name for name in tags if name not in forge and name in pushed]
    missing = [name for name, oid in wanted.items() if forge.get(name) != oid and name not in {*moved, *dropped}]
    problems = [f"the tag {_short(name)} names {forge[name][:7]} there, and {tags[name][:7]} here" for name in moved]
    problems += [f"the tag {_short(name)} was there before, and is gone" for name in dropped]
    return ForgePlan(tuple(missing), tuple(problems))


def batches(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the refs in parts, one for each push: first the tags, then the branch.

    The reason: a forge that protects the branch would refuse tags that come in the same push.
    """
    tags, others = [ref for ref in refs if ref.startswith(TAGS)], [ref for ref in refs if not ref.startswith(TAGS)]
    for part in (tags, others):
        yield from (part[start : start + _AT_ONCE] for start in range(0, len(part), _AT_ONCE))


def read_forge_refs(raw: bytes) -> dict[str, str]:
    """Return the object ids in `raw` by full ref names. `raw` has lines as `git ls-remote --refs` prints them.

    Lines that name no ref are left out, such as HEAD, or the object behind an annotated tag (`^{}`).
    """
    matches = (_REF.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[2]): match[1].decode() for match in matches if match and not match[2].endswith(b"^{}")}


def refusals(raw: bytes) -> dict[str, str]:
    """Return the refs that a push did not write, by full name, with the reasons.

    `raw` is the output of `git push --porcelain`.
    """
    matches = (_STATUS.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[3]): _reason(match[4]) for match in matches if match and match[1] == b"!"}


def _reason(summary: bytes) -> str:
    """Return the reason in a summary of `git push`: "x" for "[remote rejected] (x)".

    If the summary does not end with brackets, return all of it.
    """
    match = _REASON.search(summary)
    return one_line(match[1] if match else summary)


def push_problem(name: str, reason: str) -> str:
    """Return a sentence on the ref with the full name `name`, which the forge refused for `reason`."""
    return f"the {'tag' if name.startswith(TAGS) else 'branch'} {_short(name)} was refused: {reason}"


def pushed_input(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> bytes:
    """Return the input for `git update-ref --stdin -z` that records which refs the forge has now, below `refs/pushed/`.

    All arguments map full names of refs to object ids: the wanted ones, those that the forge has now, and those that it
    had before. Only refs in `wanted` are recorded. A tag that is gone from the forge stays recorded. Return b"" if
    nothing has changed.
    """
    now = {name: oid for name, oid in wanted.items() if forge.get(name) == oid and pushed.get(name) != oid}
    lines = [f"update {PUSHED}{name.removeprefix('refs/')}\0{oid}\0\0".encode() for name, oid in now.items()]
    return b"".join(lines)


def _short(name: str) -> str:
    return name.removeprefix(HEADS).removeprefix(TAGS)
