"""Derives from the ledger what Canon did: its passes, its trials with their times, and how busy the host was."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from reconciler.core.events import Body, Event, pass_of_body, text_of

_PRESSURE: Final = re.compile(r"\(host: ([^()]*)\)")


@frozen
class TierTime:
    """One tier of a past trial: its verdict, and how long it took.

    * `verdict`: pass, fail, skip or error.
    * `reason`: why it got this verdict; "" if it passed.
    * `seconds`: how long the tier took.
    """

    name: str
    verdict: str
    reason: str
    seconds: float


@frozen
class PastTrial:
    """One trial in the ledger.

    * `pass_id`: the pass that ran the trial; "" if the line names none.
    * `ended_at`: when the trial was recorded.
    * `result`: promoted, red, and so on; "by hand" if a person started the trial.
    * `level`: how many tiers passed, out of those that apply, such as "3/4".
    * `packed`: the size of the trial's snapshot on disk in bytes; None if none was made or recorded.
    * `findings`: remarks without effect on the result.
    """

    recipe: str
    version: str
    id: str
    pass_id: str
    ended_at: datetime
    result: str
    level: str
    reason: str
    tiers: tuple[TierTime, ...]
    packed: int | None = None
    findings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Return how long all tiers of the trial took together, in seconds."""
        return sum(tier.seconds for tier in self.tiers)


@frozen
class PastPass:
    """One pass in the ledger.

    * `trigger`: what started the pass, such as timer or shell.
    * `ended_at`: when the pass ended; None if the ledger does not say that it did.
    * `exit_code`: the exit code of the pass; None if `ended_at` is None.
    * `line`: the last line of the pass's report; "" if the pass has not ended.
    * `is_whole`: True if the pass has ended and was about the whole fleet.
    * `trials`: the trials that ran in this pass.
    """

    id: str
    trigger: str
    began_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    line: str
    is_whole: bool
    trials: tuple[PastTrial, ...] = field(factory=tuple)

    @property
    def length(self) -> timedelta | None:
        """Return how long the pass took; None if it has not ended."""
        return max(self.ended_at - self.began_at, timedelta()) if self.ended_at is not None else None

    @property
    def in_trials(self) -> float:
        """Return how long the trials of the pass took, in seconds: the sum of all, even if some ran side by side."""
        return sum(trial.seconds for trial in self.trials)


@frozen
class Timeout:
    """Something in a trial that did not end in time.

    * `at`: when the trial was recorded.
    * `result`: the result of the trial, such as red.
    * `what`: what did not end in time.
    * `pressure`: a text on how busy the host was then.
    """

    at: datetime
    recipe: str
    version: str
    result: str
    what: str
    pressure: str


def past_trials(events: Iterable[Event]) -> tuple[PastTrial, ...]:
    """Return the trials among `events`, in the same order."""
    return tuple(_trial(event) for event in events if event.kind == "trial")


def past_passes(events: Iterable[Event], trials: Iterable[PastTrial]) -> tuple[PastPass, ...]:
    """Return the passes that begin in `events`, in the same order, each with those of `trials` that belong to it."""
    by_pass: dict[str, list[PastTrial]] = {}
    for trial in trials:
        by_pass.setdefault(trial.pass_id, []).append(trial)
    events = tuple(events)
    ends = {text_of(event.body, "pass"): event for event in events if event.kind == "pass-end"}
    begun = ((text_of(event.body, "pass"), event) for event in events if event.kind == "pass")
    return tuple(_pass(pass_id, event, ends.get(pass_id), by_pass.get(pass_id, ())) for pass_id, event in begun)


def timeouts(trials: Iterable[PastTrial]) -> tuple[Timeout, ...]:
    """Return every timeout that `trials` tell of, in the order of the trials.

    A trial tells of a timeout in the reason of a tier or in a finding, if that text says how busy the host was.
    """
    return tuple(found for trial in trials for found in _timeouts_of(trial))


def _timeouts_of(trial: PastTrial) -> Iterator[Timeout]:
    texts = [*(f"{tier.name}: {tier.reason}" for tier in trial.tiers), *trial.findings]
    for text in texts:
        pressure = _PRESSURE.search(text)
        if pressure is not None:
            what = text[: pressure.start()].rstrip() + text[pressure.end() :]
            yield Timeout(trial.ended_at, trial.recipe, trial.version, trial.result, what, pressure[1])


def _trial(event: Event) -> PastTrial:
    body = event.body
    packed = body.get("packed")
    return PastTrial(
        recipe=event.recipe,
        version=event.version,
        id=text_of(body, "trial"),
        pass_id=pass_of_body(body),
        ended_at=event.at,
        result=text_of(body, "result"),
        level=text_of(body, "level"),
        reason=text_of(body, "reason"),
        tiers=tuple(_tiers(body)),
        packed=packed if isinstance(packed, int) else None,
        findings=tuple(map(str, _items(body, "findings"))),
    )


def _tiers(body: Body) -> Iterator[TierTime]:
    """Yield the tiers in `body`, the data of a trial's ledger line. Skip those in a form that Canon does not write."""
    for tier in _items(body, "tiers"):
        match tier:
            case [str(name), str(verdict), str(reason), int() | float() as seconds]:
                yield TierTime(name, verdict, reason, float(seconds))
            case _:
                pass


def _pass(pass_id: str, began: Event, ended: Event | None, trials: Sequence[PastTrial]) -> PastPass:
    end: Mapping[str, object] = ended.body if ended is not None else {}
    code = end.get("exit_code")
    return PastPass(
        id=pass_id,
        trigger=text_of(began.body, "trigger"),
        began_at=began.at,
        ended_at=ended.at if ended is not None else None,
        exit_code=code if isinstance(code, int) else None,
        line=text_of(end, "line"),
        is_whole="selected" in end and end["selected"] is None,
        trials=tuple(trials),
    )


def _items(body: Body, key: str) -> Sequence[object]:
    value = body.get(key)
    return value if isinstance(value, list) else ()
