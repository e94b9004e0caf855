"""Whether a canonical that is kept running still stands as it was raised."""

from collections.abc import Iterator, Mapping

from state.records import Damaged, DeploymentRecord, Parts

TASK = "task"
"""The fact of a part that changes where it ended and was started again."""

NEVER = "it was never raised to be kept running, or not to the end"


def why_down(generation: int, record: DeploymentRecord | Damaged | None, parts: Parts, lacks: str) -> str:
    """What differs from how `generation` was raised, "" where nothing does.

    `record` tells what was raised; `parts` and `lacks` are seen now. What came beside them since then does no harm.
    """
    if record is None:
        return NEVER
    if isinstance(record, Damaged):
        return record.reason
    if record.missing:
        return record.missing
    if record.generation != generation:
        return f"generation {record.generation} was raised, and {generation} is recorded"
    if not (record.parts and parts):
        return lacks or "nothing of it is there"
    return "; ".join(filter(None, (*_differences(record.parts, parts), lacks)))


def _differences(raised: Parts, parts: Parts) -> Iterator[str]:
    """What is gone first, since much of the rest may come of it."""
    yield from (f"{part} is gone" for part in raised if part not in parts)
    for part, was in raised.items():
        yield from _changes(part, was, parts.get(part, was))


def _changes(part: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for fact, before in was.items():
        if now.get(fact) == before:
            continue
        if fact == TASK:
            yield f"{part} was started again: its task is {now.get(fact, 'gone')}, and was {before}"
        else:
            yield f"{fact} of {part} is {now.get(fact, 'not known')}, and was {before}"
