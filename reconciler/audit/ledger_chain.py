"""Checks the ledger line by line. Each line has a hash of its own, and the hash of the line before."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from reconciler.audit.claims import Claim, LedgerHead, checked
from reconciler.audit.registry_file import LineOfLedger

_MOST_NAMED = 5


def chain_claims(lines: Sequence[LineOfLedger], kept: tuple[int, str] | None, head: str) -> Iterator[Claim]:
    """Yield the claims about the whole ledger: no line was changed or left out, and no line was cut off at the end.

    * `lines`: all lines of the ledger, in order.
    * `kept`: the number and hash of the last line, which the registry stores beside the ledger; None if it stores none.
    * `head`: a hash that a person wrote down, or its first digits; "" for none. One of the lines must still have it.
    """
    yield checked("", f"ledger: {len(lines)} lines, each after the one before", _named(list(_breaks(lines))))
    if kept is not None:
        last = (lines[-1].seq, lines[-1].hash) if lines else (0, "")
        yield checked("", "ledger: its last line", _cut(kept, last))
    if head:
        yield checked("", f"ledger: the line with the hash {head[:12]}", _lost(lines, head))


def head_of(lines: Sequence[LineOfLedger]) -> LedgerHead | None:
    """Return the number and hash of the last line; None for an empty ledger."""
    return LedgerHead(lines[-1].seq, lines[-1].hash) if lines else None


def _breaks(lines: Sequence[LineOfLedger]) -> Iterator[str]:
    """Yield a text for each line that is missing, was changed, or does not have the hash of the line before."""
    if lines and lines[0].prev:
        yield f"line {lines[0].seq} does not begin a ledger"
    if lines and lines[0].seq != 1:
        yield _missing(1, lines[0].seq - 1)
    for line in lines:
        if line.hash != _hash(line):
            yield f"line {line.seq} ({line.kind}{line.recipe and ' of ' + line.recipe}) was changed"
    for before, line in pairwise(lines):
        if line.seq != before.seq + 1:
            yield _missing(before.seq + 1, line.seq - 1)
        elif line.prev != before.hash:
            yield f"line {line.seq} does not follow line {before.seq}"


def _missing(first: int, last: int) -> str:
    return f"line {first} is missing" if first == last else f"lines {first} to {last} are missing"


def _named(problems: Sequence[str]) -> str:
    """Join `problems` to one text: the first five, and how many more there are; "" if there are none."""
    more = [f"and {len(problems) - _MOST_NAMED} more"] if len(problems) > _MOST_NAMED else []
    return "; ".join([*problems[:_MOST_NAMED], *more])


def _hash(line: LineOfLedger) -> str:
    """Return the SHA-256, in hexadecimal, of all columns of a line except its hash, as compact JSON in ASCII."""
    columns = [line.seq, line.at, line.kind, line.recipe, line.body, line.prev]
    return hashlib.sha256(json.dumps(columns, separators=(",", ":")).encode("ascii")).hexdigest()


def _cut(kept: tuple[int, str], last: tuple[int, str]) -> str:
    """Return how the ledger's last line differs from what the registry stores of that line; "" if it does not differ.

    `kept` is the number and hash that the registry stores. `last` is the number and hash of the line itself.
    """
    if kept == last:
        return ""
    if kept[0] > last[0]:
        return f"{_missing(last[0] + 1, kept[0])} at its end"
    return f"it is line {last[0]} with the hash {last[1][:12]}, and line {kept[0]} with {kept[1][:12]} is kept"


def _lost(lines: Sequence[LineOfLedger], head: str) -> str:
    """Return a problem if no line of the ledger has a hash that is `head` or begins with it; "" if one has."""
    if any(line.hash.startswith(head) for line in lines):
        return ""
    return "no line has it: lines were cut off or rewritten since it was kept"
