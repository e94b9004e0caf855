"""Compares what is deployed of a kept deployment with its deployment record."""

from collections.abc import Iterator, Mapping

from state.kept_deployment import DeploymentRecord, Parts
from state.records import Damaged

TASK = "task"
"""The fact that names the tasks of a part. Its value changes when the part ends and is started again."""

NEVER_DEPLOYED = "it was never deployed to be kept running, or its deployment was interrupted"


def why_down(generation: int, record: DeploymentRecord | Damaged | None, parts: Parts, problem: str) -> str:
    """Return how the kept deployment of `generation` differs from its record; "" if it does not.

    * `record`: the record of the deployment. None if the canonical was never deployed. Damaged if the record cannot be
      read: then return why.
    * `parts`: the parts that are deployed now. Parts that the record does not name do not count.
    * `problem`: why some of `parts` are not up; "" if all are up.
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
        return problem or "nothing of it is there"
    return "; ".join(filter(None, (*_differences(record.parts, parts), problem)))


def _differences(recorded: Parts, parts: Parts) -> Iterator[str]:
    """Yield a text for each difference between the parts of a kept deployment as `recorded` and as deployed now.

    `parts` are the parts that are deployed now. The parts that are gone come first, because they may be the cause of
    the other differences.
    """
    yield from (f"{part} is gone" for part in recorded if part not in parts)
    for part, facts in recorded.items():
        yield from _changes(part, facts, parts.get(part, facts))


def _changes(part: str, recorded: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield a text for each fact about a part, such as its image, that is not as it was recorded.

    `recorded` and `now` have the values by the name of the fact.
    """
    for fact, value in recorded.items():
        if now.get(fact) == value:
            continue
        if fact == TASK:
            yield f"{part} was started again: its task is {now.get(fact, 'gone')}, and was {value}"
        else:
            yield f"{fact} of {part} is {now.get(fact, 'not known')}, and was {value}"
