"""Parses the output of `git ls-remote` strictly: into a complete answer, or the reason why it is not valid."""

import hashlib
import re
from collections.abc import Mapping

from desired.releases import Unobservable
from reconciler.host.git.git_faults import SHA256
from reconciler.host.git.refs import HEADS, TAGS
from reconciler.host.text import decoded, one_line
from state.records import Answer

# Far above the largest repositories known. An answer with more refs is an attack or a mistake.
MOST_REFS = 200_000

_SYMREF = re.compile(rb"ref: ([^\t]+)\t([^\t]+)")
_REF = re.compile(rb"([0-9a-f]{40})\t([^\t]+)")
_SHA256 = re.compile(rb"[0-9a-f]{64}\t[^\t]+")
_LS_REFS = "ls-refs-"
_PEELED = "^{}"

# Git refuses ref names with any of these. Only a forged answer contains one.
_ILL_FORMED = re.compile(rb"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.(?:lock)?(?:/|$)|/$")


def digest_of(raw: bytes) -> str:
    """Return the SHA-256 of `raw`, an output of `git ls-remote`, as "sha256:HEX"."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def ls_refs_digest(body: bytes) -> str:
    """Return the SHA-256 of `body`, the body of an HTTP answer to `ls-refs`, as "ls-refs-sha256:HEX"."""
    return f"{_LS_REFS}{digest_of(body)}"


def is_unchanged(known: str | None, text_digest: str, body_digest: str | None = None) -> bool:
    """Return True if a new answer of upstream has the same refs as the last one: `text_digest` is in `known`.

    * `known`: the digests of the last answer, with spaces between; None if there was none.
    * `text_digest`: the digest of the new answer as `git ls-remote` prints it.
    * `body_digest`: the digest of the new answer's HTTP body; None if git asked.

    Return False if the refs differ. Return False also if there is a `body_digest`, and `known` has no digest of an HTTP
    body yet: the caller then records `body_digest`.
    """
    digests = (known or "").split()
    return text_digest in digests and (body_digest is None or any(each.startswith(_LS_REFS) for each in digests))


def parse_ls_remote(raw: bytes) -> Answer | Unobservable:
    """Return the refs in `raw`, the output of `git ls-remote`; an Unobservable with the reason if it is not valid.

    For an annotated tag, the result has the object that the tag leads to (the line with `^{}`) instead of the tag
    object. The output does not tell whether that object is a commit.
    """
    lines = raw.split(b"\n")
    if lines.pop() != b"" or not lines:
        return Unobservable("the answer is empty or cut off")
    if len(lines) > MOST_REFS:
        return Unobservable(f"the answer names more than {MOST_REFS} refs")
    refs: dict[str, str] = {}
    # `ls-remote` matches names by their end: a working clone also lists the "HEAD" of its own remote.
    symrefs: dict[bytes, bytes] = {}
    for line in lines:
        if (match := _REF.fullmatch(line)) and _well_formed(match[2]) and (name := decoded(match[2])) not in refs:
            refs[name] = match[1].decode()
        elif (match := _SYMREF.fullmatch(line)) and _well_formed(match[1]) and _well_formed(match[2]):
            symrefs[match[2]] = match[1]
        elif _SHA256.fullmatch(line):
            return Unobservable(f"upstream {SHA256}")
        else:
            return Unobservable(f"the answer has a line that git does not write: {one_line(line, 80)}")
    return _answer(digest_of(raw), _branch(symrefs.get(b"HEAD", b"")), refs)


def _branch(name: bytes) -> str | None:
    branch = name.removeprefix(HEADS.encode())
    return decoded(branch) if branch != name else None


def _well_formed(name: bytes) -> bool:
    return not _ILL_FORMED.search(name.removesuffix(b"^{}"))


def _answer(digest: str, branch: str | None, refs: Mapping[str, str]) -> Answer | Unobservable:
    head = refs.get("HEAD")
    if branch is None or head is None:
        # HEAD names a missing branch, or is detached. The tags are valid all the same.
        branch, head = "", ""
    elif refs.get(HEADS + branch) != head:
        return Unobservable(f"the main branch {one_line(branch.encode(), 80)} is not among the answer's branches")
    tags = {name.removeprefix(TAGS): commit for name, commit in refs.items() if name.startswith(TAGS)}
    peeled = {name.removesuffix(_PEELED): commit for name, commit in tags.items() if name.endswith(_PEELED)}
    plain = {name: commit for name, commit in tags.items() if not name.endswith(_PEELED)}
    if not peeled.keys() <= plain.keys():
        return Unobservable("the answer peels a tag that it does not name")
    return Answer(digest, branch, head, plain | peeled)
