"""Known secrets are taken out of whatever is kept or shown, by their value."""

import base64
import json
import re
from collections.abc import Iterable
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
        if not self.spellings or not data:
            return data
        return re.sub(b"|".join(map(re.escape, self.spellings)), _INSTEAD, data)


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


def slot_secrets(slot: Path) -> tuple[bytes, ...]:
    """The contents of every secret in the apps of a slot's folder."""
    files = (path for path in slot.glob("*/secrets/*") if path.is_file() and not path.is_symlink())
    return tuple(path.read_bytes() for path in files if path.stat().st_size <= _LONGEST)
