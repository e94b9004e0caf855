"""Reads tag objects of git, and what gpg and ssh-keygen print about their signatures. Pure."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from attrs import frozen

from desired.releases import Signature
from reconciler.host.text import decoded, one_line


class SignatureKind(StrEnum):
    """How a tag is signed. NONE: it is not signed. OTHER: by a method that cannot be checked here, such as X.509."""

    PGP = "OpenPGP"
    SSH = "SSH"
    OTHER = "other"
    NONE = "none"


@frozen
class TagObject:
    """An annotated tag.

    * `oid`: the id of its object.
    * `name`: the name that is written in the object, and so is signed; "" if there is none, or several.
    * `kind`: how it is signed.
    """

    oid: str
    name: str
    kind: SignatureKind


# Git takes the last line in the tag that begins so as the begin of the signature.
_MARKS: Final[Mapping[bytes, SignatureKind]] = {
    b"-----BEGIN PGP SIGNATURE-----": SignatureKind.PGP,
    b"-----BEGIN PGP MESSAGE-----": SignatureKind.PGP,
    b"-----BEGIN SSH SIGNATURE-----": SignatureKind.SSH,
    b"-----BEGIN SIGNED MESSAGE-----": SignatureKind.OTHER,
}
_HEADER: Final = re.compile(rb"([0-9a-f]{40}) ([a-z]+) ([0-9]+)\n")
_STATUS: Final = re.compile(rb"^\[GNUPG:\] ([A-Z_]+) ?(.*)$", re.MULTILINE)
_SSH_GOOD: Final = re.compile(rb'^Good "git" signature for (\S+) with \S+ key (\S+)', re.MULTILINE)
_SSH_KEY: Final = re.compile(rb'^Good "git" signature with \S+ key (\S+)', re.MULTILINE)
_GPG_FAULTS: Final[Mapping[bytes, str]] = {
    b"BADSIG": "its signature does not fit what it signs",
    b"EXPSIG": "its signature has expired",
    b"EXPKEYSIG": "it is signed by a key that has expired",
    b"REVKEYSIG": "it is signed by a key that is revoked",
    b"ERRSIG": "its signature is of a kind that gpg does not check",
    b"NODATA": "its signature cannot be read",
}
# Git reports its own failures so, and that gpg or ssh-keygen ended by a signal, cannot start or is too old.
_HOST_FAULT: Final = re.compile(rb"^(?:error|fatal): ", re.MULTILINE)
# What ssh-keygen prints when it refuses a signature, or a key by its line in the file of allowed signers.
_SSH_FAULT: Final = re.compile(
    rb"^((?:Signature verification failed|Couldn't verify signature|Couldn't parse signature): .+"
    rb"|\S+:\d+: (?:key has expired|key is not yet valid|key is not permitted).*)",
    re.MULTILINE,
)
_SSH_NOT_JUDGED: Final = re.compile(rb": (?:system error|memory allocation failed|unexpected internal error)")


def read_batch(raw: bytes) -> dict[str, TagObject]:
    """Read the output of `git cat-file --batch`. Return the annotated tags in it, by the ids of their objects.

    Other objects are left out.
    """
    found: dict[str, TagObject] = {}
    at = 0
    while header := _HEADER.match(raw, at):
        content = raw[header.end() : header.end() + int(header[3])]
        if header[2] == b"tag":
            oid = header[1].decode("ascii")
            found[oid] = TagObject(oid, _tag_name(content), _kind_of(content))
        at = header.end() + int(header[3]) + 1
    return found


def _tag_name(content: bytes) -> str:
    """Return the tag name that is written in the content of a tag object; "" if there is none, or several."""
    header, _, _ = content.partition(b"\n\n")
    names = [line.removeprefix(b"tag ") for line in header.split(b"\n") if line.startswith(b"tag ")]
    return decoded(names[0]) if len(names) == 1 else ""


def _kind_of(content: bytes) -> SignatureKind:
    lines = reversed(content.split(b"\n"))
    return next((kind for line in lines for mark, kind in _MARKS.items() if line.startswith(mark)), SignatureKind.NONE)


def refused_before(tag: str, tag_object: TagObject | None, has_keys: Callable[[SignatureKind], bool]) -> str:
    """Return why the signature of the tag `tag` cannot be good. Return "" if gpg or ssh-keygen has to check it.

    `tag_object` is None if the tag is not annotated. `has_keys` returns whether the fleet has keys for a kind of
    signature.
    """
    if tag_object is None:
        return "the tag is not annotated, so it has no signature"
    if tag_object.kind is SignatureKind.NONE:
        return "the tag has no signature"
    if tag_object.name != tag:
        # Whoever can write to upstream could else give the signed tag of an old release a new name.
        return f"the tag was signed as {one_line(tag_object.name.encode()) or 'nothing'}, and not as {tag}"
    if tag_object.kind is SignatureKind.OTHER:
        return "the tag is signed in a way that is not supported: neither OpenPGP nor SSH"
    if not has_keys(tag_object.kind):
        return f"the tag is signed by an {tag_object.kind} key, and the fleet has no such keys"
    return ""


def signature_of(kind: SignatureKind, said: bytes, *, succeeded: bool) -> Signature | None:
    """Read the result of `git verify-tag --raw`. Return who signed the tag, or why its signature is not good.

    * `kind`: how the tag is signed: PGP or SSH.
    * `said`: what git wrote to stderr.
    * `succeeded`: whether git exited with 0.

    Return None if this host could not check the signature: `said` then does not tell whether it is good.
    """
    if _HOST_FAULT.search(said):
        return None
    return (_by_ssh if kind is SignatureKind.SSH else _by_gpg)(said, succeeded=succeeded)


def _by_gpg(said: bytes, *, succeeded: bool) -> Signature | None:
    lines = _STATUS.findall(said)
    status = dict(reversed(lines))
    if succeeded and b"GOODSIG" in status and b"VALIDSIG" in status:
        _, _, name = status[b"GOODSIG"].partition(b" ")
        return Signature(signer=f"{one_line(name)} ({_first_word(status[b'VALIDSIG'])})")
    if b"NO_PUBKEY" in status:
        return _unknown_key(_first_word(status[b"NO_PUBKEY"]))
    fault = next((text for word, text in _GPG_FAULTS.items() if word in status), "")
    if not fault and [word for word, _ in lines].count(b"NEWSIG") > 1:
        fault = "it has more than one signature"
    return Signature(fault=fault) if fault else None


def _by_ssh(said: bytes, *, succeeded: bool) -> Signature | None:
    good, key, refused = _SSH_GOOD.search(said), _SSH_KEY.search(said), _SSH_FAULT.search(said)
    if succeeded and good:
        return Signature(signer=f"{one_line(good[1])} ({one_line(good[2])})")
    if refused and not _SSH_NOT_JUDGED.search(said):
        return Signature(fault=f"its signature is not good: {one_line(refused[1])}")
    return _unknown_key(one_line(key[1])) if key and b"No principal matched." in said else None


def _unknown_key(key: str) -> Signature:
    return Signature(fault=f"it is signed by the key {key}, which is no key of the fleet")


def _first_word(text: bytes) -> str:
    return one_line(text.partition(b" ")[0])
