"""Known secrets are taken out of whatever is kept or shown, by their value."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

# Shorter values would blacken half of every log, and are no secrets.
_SHORTEST = 6
_LONGEST = 64 * 1024
_INSTEAD = b"[redacted]"


@frozen
class Redaction:
    """The secrets to take out, in all the spellings in which they travel."""

    spellings: tuple[bytes, ...] = ()

    @property
    def longest(self) -> int:
        """Length of the longest spelling: so much text may hold back the beginning of one."""
        return max(map(len, self.spellings), default=0)

    def apply(self, data: bytes) -> bytes:
        """`data` without any byte that belongs to a spelling; spellings that overlap are taken out as one."""
        stream = RedactedStream(self)
        return stream.feed(data) + stream.rest()


class RedactedStream:
    """Takes secrets out of text that comes in chunks; together its answers are what `apply` makes of the whole.

    A secret may be the beginning of another one, or overlap it: whether a byte belongs to none is certain only once
    the longest spelling that could begin at or before it would be there.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._longest = redaction.longest
        self._pattern = re.compile(b"|".join(map(re.escape, redaction.spellings))) if redaction.spellings else None
        self._held = b""
        self._covered = 0

    def feed(self, chunk: bytes) -> bytes:
        """What is certain by now."""
        self._held += chunk
        return self._upto(max(0, len(self._held) - self._longest + 1) if self._longest else len(self._held))

    def rest(self) -> bytes:
        """What was held back, at the end of the text."""
        return self._upto(len(self._held))

    def _upto(self, cut: int) -> bytes:
        """Answer for the bytes before `cut`; of those that are held, the first `covered` are taken out already."""
        parts, end = [], self._covered
        for start, stop in self._found(cut):
            if start >= end:
                parts += [self._held[end:start], _INSTEAD]
            end = max(end, stop)
        parts.append(self._held[end:cut])
        self._held, self._covered = self._held[cut:], max(0, end - cut)
        return b"".join(parts)

    def _found(self, before: int) -> Iterator[tuple[int, int]]:
        """Where spellings begin and end that begin earlier than `before`: the longest at each place."""
        found = self._pattern.search(self._held) if self._pattern else None
        while self._pattern and found and found.start() < before:
            yield found.span()
            found = self._pattern.search(self._held, found.start() + 1)


def redaction(secrets: Iterable[bytes]) -> Redaction:
    """A secret is also found line by line, in base64, and escaped for URLs and JSON."""
    values = {part for secret in secrets for part in (secret, secret.strip(), *secret.splitlines())}
    spellings = {spelling for value in values if _SHORTEST <= len(value) <= _LONGEST for spelling in _spellings(value)}
    return Redaction(tuple(sorted(spellings, key=lambda spelling: (-len(spelling), spelling))))


def _spellings(value: bytes) -> Iterable[bytes]:
    yield value
    yield base64.b64encode(value)
    yield base64.b64encode(value + b"\n")  # as `echo` hands it over
    yield base64.urlsafe_b64encode(value)
    yield quote(value, safe="").encode()
    text = value.decode("utf-8", "backslashreplace")
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()


def read_slot_secrets(slot: Path) -> tuple[bytes, ...]:
    """The contents of every secret in the apps of a slot's folder."""
    files = (path for path in slot.glob("*/secrets/*") if path.is_file() and not path.is_symlink())
    return tuple(path.read_bytes() for path in files if path.stat().st_size <= _LONGEST)
