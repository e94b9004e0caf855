"""Replaces known secrets in logs and messages by "[redacted]"."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

# In bytes. A shorter value is also an ordinary word or number, and replacing it would make every log unreadable.
_SHORTEST = 6
_LONGEST = 64 * 1024
_REPLACEMENT = b"[redacted]"


@frozen
class Redaction:
    """The texts that are replaced in logs and messages.

    `spellings` has each secret in all encodings in which it may appear, the longest first.
    """

    spellings: tuple[bytes, ...] = ()

    @property
    def longest(self) -> int:
        """Return the length in bytes of the longest form in which a known secret is masked; 0 if no secret is known."""
        return max(map(len, self.spellings), default=0)

    def apply(self, data: bytes) -> bytes:
        """Return `data` with "[redacted]" in place of each spelling of a secret.

        Spellings that overlap are replaced by one "[redacted]".
        """
        stream = RedactedStream(self)
        return stream.feed(data) + stream.flush()


class RedactedStream:
    """Replaces secrets in a text that comes in pieces, even a secret that is split over two of them.

    The result is the same as that of `Redaction.apply` for the whole text. The last bytes of a piece may be the
    beginning of a secret, so they are kept until the next piece comes. If the longest form of a secret has 100 bytes,
    at most 99 bytes are kept.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._longest = redaction.longest
        self._pattern = re.compile(b"|".join(map(re.escape, redaction.spellings))) if redaction.spellings else None
        self._held = b""
        self._covered = 0

    def feed(self, chunk: bytes) -> bytes:
        """Add a piece of text. Return the next part of the redacted text, up to where a later piece may change it."""
        self._held += chunk
        return self._release(max(0, len(self._held) - self._longest + 1) if self._longest else len(self._held))

    def flush(self) -> bytes:
        """Return the redacted rest of the text. Call this after the last piece."""
        return self._release(len(self._held))

    def _release(self, cut: int) -> bytes:
        """Return the kept bytes before the index `cut`, redacted. Keep only the bytes after it from now on.

        The first `_covered` of the kept bytes are the end of a secret that was replaced already, so they are left out.
        """
        parts, end = [], self._covered
        for start, stop in self._spellings_before(cut):
            if start >= end:
                parts += [self._held[end:start], _REPLACEMENT]
            end = max(end, stop)
        parts.append(self._held[end:cut])
        self._held, self._covered = self._held[cut:], max(0, end - cut)
        return b"".join(parts)

    def _spellings_before(self, cut: int) -> Iterator[tuple[int, int]]:
        """Yield (start, end) for each secret in the kept bytes that begins before the index `cut`.

        `start` and `end` are indexes of the kept bytes. A secret is found in each of its encodings. If two secrets
        overlap, both are yielded. If several begin at the same index, only the longest is yielded.
        """
        match = self._pattern.search(self._held) if self._pattern else None
        while self._pattern and match and match.start() < cut:
            yield match.span()
            match = self._pattern.search(self._held, match.start() + 1)


def redaction(secrets: Iterable[bytes]) -> Redaction:
    """Return a Redaction that replaces each secret and each of its lines, also in base64 or escaped for URLs and JSON.

    Secrets and lines shorter than 6 bytes or longer than 64 KiB are not replaced.
    """
    values = {part for secret in secrets for part in (secret, secret.strip(), *secret.splitlines())}
    spellings = {spelling for value in values if _SHORTEST <= len(value) <= _LONGEST for spelling in _spellings(value)}
    return Redaction(tuple(sorted(spellings, key=lambda spelling: (-len(spelling), spelling))))


def _spellings(value: bytes) -> Iterable[bytes]:
    """Yield `value` as it is, in base64, and escaped for URLs and JSON."""
    yield value
    yield base64.b64encode(value)
    yield base64.b64encode(value + b"\n")  # as from `echo SECRET | base64`
    yield base64.urlsafe_b64encode(value)
    yield quote(value, safe="").encode()
    text = value.decode("utf-8", "backslashreplace")
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()


def read_slot_secrets(slot: Path) -> tuple[bytes, ...]:
    """Return the contents of all secret files of the apps in the slot with the folder `slot`.

    Symlinks, and files larger than 64 KiB, are left out.
    """
    files = (path for path in slot.glob("*/secrets/*") if path.is_file() and not path.is_symlink())
    return tuple(path.read_bytes() for path in files if path.stat().st_size <= _LONGEST)
