"""Compares what runs of a kept canonical with the record of its deployment."""

from collections.abc import Iterator, Mapping

from state.records import Damaged, DeploymentRecord, Parts

TASK = "task"
"""The fact that names the tasks of a part: it differs after the part ended and was started again."""

NEVER_DEPLOYED = "it was never raised to be kept running, or not to the end"


def why_down(generation: int, record: DeploymentRecord | Damaged | None, parts: Parts, lacks: str) -> str:
    """Return how what runs differs from the recorded deployment of `generation`, "" if it does not.

    `record` holds what was deployed. `parts` and `lacks` were observed now: the parts, and why they are not up, "" if
    they are. Parts that were added since do not count.
    """
    if record is None:
        return NEVER_DEPLOYED
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
    """Yield each difference; parts that are gone come first, since they may cause the others."""
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
