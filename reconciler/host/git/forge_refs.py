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
    """What to push to the forge.

    * `missing`: the full names of the refs to push.
    * `problems`: a sentence for each tag that is not pushed, because somebody changed it on the forge.
    """

    missing: tuple[str, ...]
    problems: tuple[str, ...]


def split_refs(mirror: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the refs of our mirror in two groups: what the forge should have, and what the forge had before.

    `mirror` and both results map the full names of refs to object ids.
    * The first result has the branches and tags of the mirror.
    * The second result has the refs below `refs/pushed/`, which tell what the forge had when it was last looked at. In
      the result, `refs/pushed/tags/1.0` has the name `refs/tags/1.0`.

    Other refs are left out.
    """
    pushed = {name.replace(PUSHED, "refs/", 1): oid for name, oid in mirror.items() if name.startswith(PUSHED)}
    return {name: oid for name, oid in mirror.items() if name.startswith((HEADS, TAGS))}, pushed


def plan_push(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> ForgePlan:
    """Return which of the refs `wanted` to push: the forge lacks them, or has them with another object.

    All arguments map the full names of refs to object ids.
    * `wanted`: the branches and tags that the forge should have.
    * `forge`: the refs that the forge has now.
    * `pushed`: the refs that the forge had when it was last looked at.

    A tag that a person has changed on the forge is not pushed, and the result has a sentence about it. A tag counts as
    changed if it names another object on the forge, or if it was in `pushed` and is gone from the forge.
    """
    tags = {name: oid for name, oid in wanted.items() if name.startswith(TAGS)}
    moved = [name for name, oid in tags.items() if forge.get(name, oid) != oid]
    dropped = [name for name in tags if name not in forge and name in pushed]
    missing = [name for name, oid in wanted.items() if forge.get(name) != oid and name not in {*moved, *dropped}]
    problems = [f"the tag {_short(name)} names {forge[name][:7]} there, and {tags[name][:7]} here" for name in moved]
    problems += [f"the tag {_short(name)} was there before, and is gone" for name in dropped]
    return ForgePlan(tuple(missing), tuple(problems))


def batches(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split refs into parts, one for each push. Yield the parts: first tags, then branches, each of at most 500 refs.

    Tags have pushes of their own, because a forge that protects the branch would refuse tags in the same push.
    """
    tags, others = [ref for ref in refs if ref.startswith(TAGS)], [ref for ref in refs if not ref.startswith(TAGS)]
    for part in (tags, others):
        yield from (part[start : start + _AT_ONCE] for start in range(0, len(part), _AT_ONCE))


def read_forge_refs(raw: bytes) -> dict[str, str]:
    """Read lines as `git ls-remote --refs` prints them. Return the object ids by the full names of the refs.

    Lines that name no ref are left out, such as HEAD, or the object behind an annotated tag (`^{}`).
    """
    matches = (_REF.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[2]): match[1].decode() for match in matches if match and not match[2].endswith(b"^{}")}


def refusals(raw: bytes) -> dict[str, str]:
    """Return the refs that the forge did not accept, as {FULL NAME: REASON}.

    `raw` is the output of `git push --porcelain`.
    """
    matches = (_STATUS.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[3]): _reason(match[4]) for match in matches if match and match[1] == b"!"}


def _reason(summary: bytes) -> str:
    """Return the reason at the end of a line of `git push`: "x" for "[remote rejected] (x)".

    If `summary` does not end with brackets, return all of it.
    """
    match = _REASON.search(summary)
    return one_line(match[1] if match else summary)


def push_problem(name: str, reason: str) -> str:
    """Return a sentence on a ref that the forge refused, such as "the tag 1.0 was refused: x".

    `name` is the full name of the ref, and `reason` is why.
    """
    return f"the {'tag' if name.startswith(TAGS) else 'branch'} {_short(name)} was refused: {reason}"


def pushed_input(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> bytes:
    """Return the input for `git update-ref --stdin -z` that records below `refs/pushed/` which refs the forge has now.

    All arguments map the full names of refs to object ids.
    * `wanted`: the refs that the forge should have.
    * `forge`: the refs that the forge has now.
    * `pushed`: the refs that are recorded already.

    A ref in `wanted` is recorded if the forge has it with the same object. All other records stay as they are, also if
    the ref is gone from the forge. Return b"" if there is nothing to record.
    """
    now = {name: oid for name, oid in wanted.items() if forge.get(name) == oid and pushed.get(name) != oid}
    lines = [f"update {PUSHED}{name.removeprefix('refs/')}\0{oid}\0\0".encode() for name, oid in now.items()]
    return b"".join(lines)


def _short(name: str) -> str:
    return name.removeprefix(HEADS).removeprefix(TAGS)
