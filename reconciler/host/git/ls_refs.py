"""Writes and reads git's command `ls-refs` of protocol version 2: bodies of requests, and refs in answers. Pure.

The format: https://git-scm.com/docs/protocol-v2 and https://git-scm.com/docs/protocol-common (pkt-line).
"""

import re
from collections.abc import Iterable

CONTENT_TYPE = "application/x-git-upload-pack-request"
ANSWER_TYPE = "application/x-git-upload-pack-result"

_DELIMITER = b"0001"
FLUSH = b"0000"
# A prefix is a hint: a server may list other refs too.
_PREFIXES = ("HEAD", "refs/heads/", "refs/tags/")

_NAME = rb"[^\x00-\x20\x7f]+"
_REF = re.compile(
    rb"([0-9a-f]{4})([0-9a-f]{40}) (%(name)s)(?: symref-target:(%(name)s))?(?: peeled:([0-9a-f]{40}))?\n"
    % {b"name": _NAME}
)
# The same selection as that of the patterns HEAD, refs/heads/* and refs/tags/*, which `git ls-remote` compares with
# the end of a name.
_SELECTED = re.compile(rb"(?:^|/)(?:HEAD$|refs/(?:heads|tags)/)")


def packet(line: bytes) -> bytes:
    """Return `line` as a pkt-line: its length in four hexadecimal digits, which count too, and then the line itself."""
    return b"%04x%s" % (len(line) + 4, line)


def ls_refs_request(prefixes: Iterable[str] = _PREFIXES) -> bytes:
    """Return the body of a request for the refs whose full names begin with one of `prefixes`.

    The request also asks where symbolic refs lead, and which objects annotated tags name. It names no object format, so
    that a repository with SHA-256 objects refuses it.
    """
    arguments = (b"peel\n", b"symrefs\n", *(f"ref-prefix {prefix}\n".encode() for prefix in prefixes))
    return packet(b"command=ls-refs\n") + _DELIMITER + b"".join(map(packet, arguments)) + FLUSH


def ls_remote_text(answer: bytes) -> bytes | None:
    """Return the refs in `answer`, the body of an upstream's HTTP answer, as `git ls-remote --symref` prints them.

    The result is the same byte for byte, but has only HEAD, branches and tags. Return None in each of these cases:
    * `answer` is not exactly in the format.
    * `answer` has neither HEAD nor a branch or tag.
    * `answer` is cut off: it does not end with "0000", the flush packet.
    """
    lines: list[bytes] = []
    place = 0
    while ref := _REF.match(answer, place):
        length, oid, name, target, peeled = ref.groups()
        if ref.end() - place != int(length, 16):
            return None
        place = ref.end()
        if not _SELECTED.search(name):
            continue
        if target:
            lines.append(b"ref: %s\t%s\n" % (target, name))
        lines.append(b"%s\t%s\n" % (oid, name))
        if peeled:
            lines.append(b"%s\t%s^{}\n" % (peeled, name))
    return b"".join(lines) if lines and answer[place:] == FLUSH else None
