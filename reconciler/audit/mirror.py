"""Compares a mirror with what is remembered of its upstream, and lets git check all of its objects."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from reconciler.audit.claims import Claim, checked
from reconciler.audit.programs import Printed, Programs
from reconciler.audit.records import ClaimedTags

_TAGS, _HEADS = "refs/tags/", "refs/heads/"
# A question to upstream, and what the team's forge had when it was last looked at: no claim rests on either.
_NOTES = ("refs/asked/", "refs/pushed/")
_LISTED = re.compile(r"([0-9a-f]{40}) (refs/.+)")
# git's complaints about the content of an object, which is as upstream made it, and what is no complaint.
_HARMLESS = re.compile(r"(?:error|warning) in |dangling |notice: |Checking ")
# The exit code of git fsck if it complains about nothing but the content of objects.
_CONTENT = 1
_PACKED = "# pack-refs with: "


@frozen
class _Refs:
    """The object to which each ref of a mirror leads, as git finds it in the objects themselves.

    * `peeled`: maps the full names of refs to ids of objects. For an annotated tag, it is the commit behind the tag
      object.
    * `problem`: why git cannot read the refs; "" if it can.
    """

    peeled: Mapping[str, str]
    problem: str = ""


def mirror_claims(
    recipe: str, mirror: Path, memory: ClaimedTags, upstream: Mapping[str, str] | str, programs: Programs
) -> Iterator[Claim]:
    """Yield the claims about the mirror of a recipe: its objects, release tags, main branch and file `packed-refs`.

    If there is no mirror, or if git cannot read its refs, yield only one claim.

    * `mirror`: the folder of the mirror.
    * `memory`: what is recorded of upstream.
    * `upstream`: maps each ref of upstream to its commit, or is the reason why upstream could not be asked.

    A killed pass may leave tags or a main branch in the mirror that are not recorded. They are no fault if upstream has
    them too.
    """
    if not mirror.is_dir():
        yield checked(recipe, "mirror", f"{mirror.name} is missing" if memory.tags else "")
        return
    refs = _refs(mirror, programs)
    yield checked(recipe, "mirror: its objects", refs.problem or _damage(mirror, programs))
    if refs.problem:
        return
    asked = upstream if not isinstance(upstream, str) else {}
    yield checked(recipe, "mirror: its release tags", *_tag_problems(refs.peeled, memory, asked))
    yield checked(recipe, "mirror: its main branch", *_branch_problems(mirror, refs.peeled, memory, asked))
    yield checked(recipe, "mirror: packed-refs", *_packed_problems(mirror, refs.peeled))


def _refs(mirror: Path, programs: Programs) -> _Refs:
    """Return the id of the object to which each ref of a mirror leads, or a problem if git cannot read the refs.

    The objects themselves are read, because the file `packed-refs` may be wrong.
    """
    listed = _git(programs, mirror, "for-each-ref", "--format=%(objectname) %(refname)")
    if not listed.ok or listed.err:
        return _Refs({}, f"git cannot read its refs: {listed.why}")
    lines = [_LISTED.fullmatch(line) for line in listed.out.decode("utf-8", "surrogateescape").splitlines()]
    named = {match[2]: match[1] for match in lines if match}
    return _peeled(mirror, named, programs)


def _peeled(mirror: Path, named: Mapping[str, str], programs: Programs) -> _Refs:
    """Return the id of the object to which each ref leads, or a problem if git cannot read the objects.

    `named` maps each ref to the id of the object that it names, which may be a tag object.
    """
    asked = "".join(f"{oid}^{{}}\n" for oid in named.values()).encode("ascii")
    answered = _git(programs, mirror, "cat-file", "--batch-check=%(objectname)", stdin=asked)
    oids = answered.out.decode("ascii", "replace").splitlines()
    if not answered.ok or len(oids) != len(named):
        return _Refs({}, f"git cannot read its objects: {answered.why}")
    return _Refs({name: oid.split(" ")[0] for name, oid in zip(named, oids, strict=True)})


def _damage(mirror: Path, programs: Programs) -> str:
    """Return the first damage that git finds in the objects of a mirror; "" if there is none.

    If git cannot check them, return the reason.
    """
    found = _git(programs, mirror, "fsck", "--full", "--no-dangling", "--no-progress")
    if found.code is None:
        return f"git could not check it: {found.why}"
    texts = (found.err + b"\n" + found.out).decode("utf-8", "backslashreplace").splitlines()
    serious = [text for text in texts if text.strip() and not _HARMLESS.match(text)]
    if serious:
        return f"git finds damage: {serious[0]}"
    is_explained = found.code == _CONTENT and any(text.startswith("error in ") for text in texts)
    return "" if found.ok or is_explained else f"git could not check it: it ended with {found.code}"


def _tag_problems(refs: Mapping[str, str], memory: ClaimedTags, upstream: Mapping[str, str]) -> Iterator[str]:
    held = {name.removeprefix(_TAGS): oid for name, oid in refs.items() if name.startswith(_TAGS)}
    for tag in sorted(held.keys() | memory.tags.keys()):
        has, known, published = held.get(tag), memory.tags.get(tag), upstream.get(f"{_TAGS}{tag}")
        if has == known or (known is None and has == published):
            continue
        if has is None:
            # A mirror that was made anew cannot fetch a tag that upstream has dropped or moved.
            gone = bool(upstream) and published != known
            yield "" if gone else f"tag {tag} is missing"
        elif known is None:
            yield f"tag {tag} names {has[:12]}, and no record knows it"
        else:
            yield f"tag {tag} is recorded as {known[:12]}, and names {has[:12]}"


def _branch_problems(
    mirror: Path, refs: Mapping[str, str], memory: ClaimedTags, upstream: Mapping[str, str]
) -> Iterator[str]:
    heads = {name.removeprefix(_HEADS): oid for name, oid in refs.items() if name.startswith(_HEADS)}
    others = [name for name in refs if not name.startswith((_TAGS, _HEADS, *_NOTES))]
    yield from (f"{name} was added" for name in others)
    if memory.head is None:
        return
    recorded = {memory.branch: memory.head} if memory.branch else {}
    is_ahead = bool(upstream) and list(heads.values()) == [upstream.get("HEAD")]
    if heads != recorded and not is_ahead:
        yield f"it is recorded as {_branches(recorded)}, and is {_branches(heads)}"
    text = (mirror / "HEAD").read_text("utf-8", "backslashreplace").strip()
    names = [f"ref: {_HEADS}{name}" for name in (*heads, *([] if heads else ["none"]))]
    yield "" if text in names else f"its HEAD is {text!r}"


def _branches(heads: Mapping[str, str]) -> str:
    return ", ".join(f"{name} at {oid[:12]}" for name, oid in heads.items()) or "none"


def _packed_problems(mirror: Path, refs: Mapping[str, str]) -> Iterator[str]:
    """Yield a text for each line of the file `packed-refs` that is wrong.

    A line is wrong if git would not write it, or if it names another object for a ref than `refs` does. `refs` maps
    each ref to the object that git finds for it. The file is checked because git relies on it.
    """
    packed = mirror / "packed-refs"
    lines = packed.read_text("utf-8", "surrogateescape").splitlines() if packed.exists() else []
    peeled: dict[str, str] = {}
    for line in lines:
        if match := _LISTED.fullmatch(line):
            peeled[match[2]] = match[1]
        elif line.startswith("^") and peeled:
            peeled[list(peeled)[-1]] = line[1:]
        elif not line.startswith(_PACKED):
            yield f"it has a line that git does not write: {line[:40]!r}"
    for name, oid in peeled.items():
        if oid != refs.get(name, oid) and not (mirror / name).is_file():
            yield f"it peels {name} to {oid[:12]}, and that is {refs[name][:12]}"


def _git(programs: Programs, mirror: Path, *arguments: str, stdin: bytes = b"") -> Printed:
    return programs.git(f"--git-dir={mirror}", *arguments, stdin=stdin)
