"""Tells what each line of the ledger says: what happened, to which release, and who or what did it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from attrs import frozen

from state.ledger_line import LedgerLine
from state.records import LedgerEntry

Body = Mapping[str, object]
_GREEN: Final = frozenset({"promoted", "repaired"})


@frozen
class Event:
    """One line of the ledger, told. `recipe` is "" for a whole pass, `version` "" for no release.

    `what` is one word: the result of a trial that was not promoted, else the kind of the line. `by` is who or what did
    it, "" if the line does not say. `text` is one sentence. `body` is the line's own data.
    """

    seq: int
    at: datetime
    kind: str
    recipe: str
    version: str
    what: str
    by: str
    text: str
    body: Body


def events_of(lines: Iterable[LedgerLine]) -> tuple[Event, ...]:
    """Return an event for each line, in the same order. A kind that is not known here is told by its own texts.

    `lines` should go back to the beginning of the ledger, since the trigger of a pass is in that pass's first line.
    """
    triggers: dict[str, str] = {}
    events = []
    for line in lines:
        if line.entry.kind == "pass":
            triggers[text_of(line.entry.body, "pass")] = text_of(line.entry.body, "trigger")
        events.append(_event(line, triggers))
    return tuple(events)


def of_recipe(events: Iterable[Event], recipe: str) -> tuple[Event, ...]:
    """Return the events of one recipe."""
    return tuple(event for event in events if event.recipe == recipe)


def history_of(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events that people look back at: all but the beginnings of passes and promotions that also ended.

    A pass that never ended stays, since it died or still runs; so does the beginning of such a promotion.
    """
    events = tuple(events)
    ended = {_begun_by(event) for event in events if event.kind in _ENDS}
    return tuple(event for event in events if event.kind not in _BEGINNINGS or _begun_by(event) not in ended)


_BEGINNINGS: Final = frozenset({"pass", "intent"})
_ENDS: Final = frozenset({"pass-end", "promoted", "abandoned"})


def _begun_by(event: Event) -> tuple[str, str]:
    """Return what identifies the pass or the promotion that an event begins or ends."""
    return ("promotion", text_of(event.body, "op")) if "op" in event.body else ("pass", text_of(event.body, "pass"))


def last_observed(events: Iterable[Event], recipe: str) -> datetime | None:
    """Return when the last pass ended that saw the recipe's upstream; None if none is recorded."""
    ends = (event for event in events if event.kind == "pass-end")
    return max((event.at for event in ends if _observed(event.body, recipe)), default=None)


def _observed(body: Body, recipe: str) -> bool:
    """Whether a pass saw the upstream of a recipe. False for a pass of an earlier Canon, which does not say so."""
    selected = body.get("selected", [])
    return (selected is None or recipe in _list(body, "selected")) and recipe not in _list(body, "unobservable")


def text_of(body: Body, key: str) -> str:
    """Return the value of `key` as text, "" if it is missing or null."""
    value = body.get(key)
    return "" if value is None else str(value)


def pass_of(entry: LedgerEntry) -> str:
    """Return the id of the pass that wrote an entry, "" if no pass did or the entry does not say."""
    return text_of(entry.body, "pass") or text_of(entry.body, "op").split(":")[0]


def _event(line: LedgerLine, triggers: Mapping[str, str]) -> Event:
    entry = line.entry
    result = text_of(entry.body, "result") if entry.kind == "trial" else ""
    return Event(
        seq=line.seq,
        at=entry.at,
        kind=entry.kind,
        recipe=entry.recipe,
        version=text_of(entry.body, "version") or text_of(entry.body, "tag"),
        what=entry.kind if result in {"", *_GREEN} else result,
        by=_by(entry, triggers),
        text=_TEXTS.get(entry.kind, _other)(entry.body),
        body=entry.body,
    )


def _by(entry: LedgerEntry, triggers: Mapping[str, str]) -> str:
    """Return who or what did it: a person, or a pass with what started it."""
    who = text_of(entry.body, "who")
    if who:
        return who
    pass_id = pass_of(entry)
    if not pass_id:
        return ""
    trigger = triggers.get(pass_id, "")
    return f"pass {pass_id} ({trigger})" if trigger else f"pass {pass_id}"


def _pass(body: Body) -> str:
    return "; ".join(["began; it has not ended, if no line says so", *map(str, _list(body, "notes"))])


def _pass_end(body: Body) -> str:
    signal = text_of(body, "signal")
    stopped = f"interrupted by signal {signal}; " if signal else ""
    return f"{stopped}exit code {text_of(body, 'exit_code')}: {text_of(body, 'line')}"


def _trial(body: Body) -> str:
    green = "green, " if text_of(body, "result") in _GREEN else ""
    return f"{green}level {text_of(body, 'level')}" + _after(text_of(body, "reason"), ": ")


def _intent(body: Body) -> str:
    return f"its promotion to generation {text_of(body, 'generation')} began"


def _promoted(body: Body) -> str:
    lineage = " → ".join(map(str, _list(body, "lineage")))
    return f"is the canonical now, generation {text_of(body, 'generation')}" + _after(lineage, ", data of ")


def _abandoned(body: Body) -> str:
    return f"its promotion was undone: {text_of(body, 'why')}"


def _drift(body: Body) -> str:
    began = body.get("began")
    parts = [f"{what} began: {reason}" for what, reason in began.items()] if isinstance(began, Mapping) else []
    return "; ".join([*parts, *(f"{what} ended" for what in _list(body, "ended"))])


def _other(body: Body) -> str:
    """Return a sentence on an entry of any kind, made from the texts that such entries have."""
    said = text_of(body, "said") or text_of(body, "why")
    until = _after(text_of(body, "until"), "until ")
    return "; ".join(filter(None, (said, until, text_of(body, "reason"))))


def _after(text: str, before: str) -> str:
    """Return the text with `before` in front of it; "" if the text is empty."""
    return f"{before}{text}" if text else ""


def _list(body: Body, key: str) -> list[object]:
    value = body.get(key)
    return value if isinstance(value, list) else []


_TEXTS: Final[Mapping[str, Callable[[Body], str]]] = {
    "pass": _pass,
    "pass-end": _pass_end,
    "trial": _trial,
    "intent": _intent,
    "promoted": _promoted,
    "abandoned": _abandoned,
    "drift": _drift,
}
