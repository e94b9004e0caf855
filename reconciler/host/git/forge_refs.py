"""What a push to the forge has to do, and what came of it. Pure: compares refs, and parses what git prints."""

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
    """`missing` are full names of refs to push. `problems` are sentences about tags that need a person."""

    missing: tuple[str, ...]
    problems: tuple[str, ...]


def split_refs(mirror: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the refs that the forge has to have, and those that it had when it was last looked at, by full names.

    `mirror` has all these refs of our mirror, by full name, each with the id of the object that it names.
    """
    pushed = {name.replace(PUSHED, "refs/", 1): oid for name, oid in mirror.items() if name.startswith(PUSHED)}
    return {name: oid for name, oid in mirror.items() if name.startswith((HEADS, TAGS))}, pushed


def plan_push(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> ForgePlan:
    """Return what to push. `forge` are the refs that the forge has now, `pushed` those that it had before.

    Each full name has the id of the object that it names. Two kinds of tags are not pushed, because a person changed
    them on the forge: a tag that names another object there, and a tag that was there before and is gone.
    """
    tags = {name: oid for name, oid in wanted.items() if name.startswith(TAGS)}
    moved = [name for name, oid in tags.items() if forge.get(name, oid) != oid]
    dropped = [name for name in tags if name not in forge and name in pushed]
    missing = [name for name, oid in wanted.items() if forge.get(name) != oid and name not in {*moved, *dropped}]
    problems = [f"the tag {_short(name)} names {forge[name][:7]} there, and {tags[name][:7]} here" for name in moved]
    problems += [f"the tag {_short(name)} was there before, and is gone" for name in dropped]
    return ForgePlan(tuple(missing), tuple(problems))


def batches(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the refs in parts for one push each: tags first, then the branch alone.

    A forge that protects the branch refuses all refs of that push: its hook sees them together.
    """
    tags, others = [ref for ref in refs if ref.startswith(TAGS)], [ref for ref in refs if not ref.startswith(TAGS)]
    for part in (tags, others):
        yield from (part[start : start + _AT_ONCE] for start in range(0, len(part), _AT_ONCE))


def read_forge_refs(raw: bytes) -> dict[str, str]:
    """Return the refs in `raw`, the output of `git ls-remote --refs`: full names with object ids.

    Other lines, which a peeled tag or HEAD would have, are left out.
    """
    matches = (_REF.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[2]): match[1].decode() for match in matches if match and not match[2].endswith(b"^{}")}


def refusals(raw: bytes) -> dict[str, str]:
    """Return the refs in `raw`, the output of `git push --porcelain`, that were not pushed, each with the reason."""
    matches = (_STATUS.fullmatch(line) for line in raw.splitlines())
    return {decoded(match[3]): _reason(match[4]) for match in matches if match and match[1] == b"!"}


def _reason(summary: bytes) -> str:
    """Return the reason in a summary: "x" in "[remote rejected] (x)". Without brackets, return the whole summary."""
    match = _REASON.search(summary)
    return one_line(match[1] if match else summary)


def push_problem(name: str, reason: str) -> str:
    """Return a sentence about a ref that the forge refused."""
    return f"the {'tag' if name.startswith(TAGS) else 'branch'} {_short(name)} was refused: {reason}"


def pushed_input(wanted: Mapping[str, str], forge: Mapping[str, str], pushed: Mapping[str, str]) -> bytes:
    """Return the input for `git update-ref --stdin -z` that remembers which wanted refs the forge has now.

    Return b"" if nothing changed. A tag that is gone from the forge stays remembered.
    """
    now = {name: oid for name, oid in wanted.items() if forge.get(name) == oid and pushed.get(name) != oid}
    lines = [f"update {PUSHED}{name.removeprefix('refs/')}\0{oid}\0\0".encode() for name, oid in now.items()]
    return b"".join(lines)


def _short(name: str) -> str:
    return name.removeprefix(HEADS).removeprefix(TAGS)
