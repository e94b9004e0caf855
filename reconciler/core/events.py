"""Turns each line of the ledger into an event: what happened, to which release, and who did it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.holds import left_text
from reconciler.core.way_records import WAY_LINE, way_sentence
from state.ledger_line import LedgerLine
from state.records import LedgerEntry

Body = Mapping[str, object]
_GREEN: Final = frozenset({"promoted", "repaired"})
_BY_HAND: Final = "by hand"


@frozen
class Event:
    """One line of the ledger in words.

    * `seq`: the number of the line.
    * `recipe`: the recipe that the line is about; "" if it is about a whole pass.
    * `version`: the release that the line is about; "" if it is about none.
    * `what`: one word for what happened: the kind of the line, or the result of a trial that was not promoted.
    * `by`: the person or the pass that did it; "" if the line names none.
    * `text`: one sentence about what happened.
    * `body`: the data of the line.
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


def events_of(lines: Iterable[LedgerLine], triggers: Mapping[str, str] | None = None) -> tuple[Event, ...]:
    """Return an event for each ledger line, in the same order.

    A line of unknown kind gets a text made of the texts in its data.

    `triggers` has what started each pass that began before the first of `lines`, by the id of the pass. It is needed
    because only the line that begins a pass says this. None: `lines` are the whole ledger from its beginning.
    """
    lines = tuple(lines)
    known = {**(triggers or {}), **pass_triggers(lines)}
    return tuple(_event(line, known) for line in lines)


def pass_triggers(lines: Iterable[LedgerLine]) -> Mapping[str, str]:
    """Return what started each pass, such as timer or shell, by the id of the pass.

    Only passes that begin in one of `lines` are included.
    """
    return {
        text_of(line.entry.body, "pass"): text_of(line.entry.body, "trigger")
        for line in lines
        if line.entry.kind == "pass"
    }


def by_recipe(events: Iterable[Event]) -> Mapping[str, Sequence[Event]]:
    """Return the events by recipe, each group in the order of `events`. Events of whole passes have the key ""."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.recipe, []).append(event)
    return found


def history_of(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events. Leave out the beginning of a pass or promotion if its end is also among `events`.

    A beginning without an end stays. It shows that the pass or promotion died, or is still running.
    """
    events = tuple(events)
    ended = {_begun_by(event) for event in events if event.kind in _ENDS}
    return tuple(event for event in events if event.kind not in _BEGINNINGS or _begun_by(event) not in ended)


_BEGINNINGS: Final = frozenset({"pass", "intent"})
_ENDS: Final = frozenset({"pass-end", "promoted", "rolled-back", "abandoned"})


def _begun_by(event: Event) -> tuple[str, str]:
    """Return ("promotion", its id) if the event begins or ends a promotion; else ("pass", the id of the pass)."""
    return ("promotion", text_of(event.body, "op")) if "op" in event.body else ("pass", text_of(event.body, "pass"))


def last_observed(events: Iterable[Event], recipe: str) -> datetime | None:
    """Return when the last pass that saw the recipe's upstream ended; None if no such pass is recorded."""
    ends = (event for event in events if event.kind == "pass-end")
    return max((event.at for event in ends if _observed(event.body, recipe)), default=None)


def last_unobserved(events: Iterable[Event], recipe: str) -> datetime | None:
    """Return when the last pass over the recipe ended, if that pass could not see the recipe's upstream.

    Return None if that pass saw the upstream, or if no pass over the recipe is recorded. A pass over the recipe is one
    that selected the recipe.
    """
    ends = [event for event in events if event.kind == "pass-end" and _selected(event.body, recipe)]
    last = max(ends, key=lambda event: event.seq, default=None)
    return last.at if last is not None and not _observed(last.body, recipe) else None


def _observed(body: Body, recipe: str) -> bool:
    """Return whether a pass saw the upstream of a recipe. `body` is the data of the ledger line that ends the pass.

    Return False for a pass of an older Canon, which did not record this.
    """
    return _selected(body, recipe) and recipe not in _list(body, "unobservable")


def _selected(body: Body, recipe: str) -> bool:
    """Return whether a pass selected the recipe `recipe`. `body` is the data of the ledger line that ends the pass.

    Return False for a pass of an older Canon, which did not record this.
    """
    return body.get("selected", []) is None or recipe in _list(body, "selected")


def text_of(body: Body, key: str) -> str:
    """Return the value of `key` in `body`, the data of a ledger line, as text; "" if it is missing or null."""
    value = body.get(key)
    return "" if value is None else str(value)


def pass_of(entry: LedgerEntry) -> str:
    """Return the id of the pass that wrote an entry of the ledger; "" if no pass did, or if the entry names none."""
    return pass_of_body(entry.body)


def pass_of_body(body: Body) -> str:
    """Return the id of the pass that wrote a ledger line; "" if no pass did, or if the line names none.

    `body` is the data of the line.
    """
    return text_of(body, "pass") or text_of(body, "op").split(":")[0]


def _event(line: LedgerLine, triggers: Mapping[str, str]) -> Event:
    entry = line.entry
    result = text_of(entry.body, "result") if entry.kind == "trial" else ""
    return Event(
        seq=line.seq,
        at=entry.at,
        kind=entry.kind,
        recipe=entry.recipe,
        version=text_of(entry.body, "version") or text_of(entry.body, "tag"),
        what=entry.kind if result in {"", _BY_HAND, *_GREEN} else result,
        by=_by(entry, triggers),
        text=_TEXTS.get(entry.kind, _other)(entry.body),
        body=entry.body,
    )


def _by(entry: LedgerEntry, triggers: Mapping[str, str]) -> str:
    """Return who did what the entry records: a person, or a pass and what started it, such as "pass ID (timer)".

    Return "" if the entry names neither. `triggers` has what started each pass, by the pass's id.
    """
    who = text_of(entry.body, "who")
    if who or text_of(entry.body, "result") == _BY_HAND:
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
    result, reason = text_of(body, "result"), text_of(body, "reason")
    verdict = "green, " if result in _GREEN else ""
    if result == _BY_HAND:
        verdict = "by hand, failed, " if reason else "by hand, green, "
    return f"{verdict}level {text_of(body, 'level')}" + _after(reason, ": ")


def _intent(body: Body) -> str:
    what = "rollback" if "copy_of" in body else "promotion"
    return f"its {what} to generation {text_of(body, 'copy_of') or text_of(body, 'generation')} began"


def _promoted(body: Body) -> str:
    lineage = " → ".join(map(str, _list(body, "lineage")))
    return f"is the canonical now, generation {text_of(body, 'generation')}" + _after(lineage, ", data of ")


def _rolled_back(body: Body) -> str:
    left = left_text(text_of(body, "from_version"), text_of(body, "left"))
    numbers = f"generation {text_of(body, 'generation')}, a copy of {text_of(body, 'copy_of')}"
    return f"is the canonical again, {numbers}; {left}: {text_of(body, 'reason')}"


def _abandoned(body: Body) -> str:
    what = "rollback" if "copy_of" in body else "promotion"
    return f"its {what} was undone: {text_of(body, 'why')}"


def _drift(body: Body) -> str:
    began = body.get("began")
    parts = [f"{what} began: {reason}" for what, reason in began.items()] if isinstance(began, Mapping) else []
    return "; ".join([*parts, *(f"{what} ended" for what in _list(body, "ended"))])


def _other(body: Body) -> str:
    """Return the text for a ledger line of a kind without a text of its own: the texts in its data, joined by "; "."""
    said = text_of(body, "said") or text_of(body, "why")
    until = _after(text_of(body, "until"), "until ")
    return "; ".join(filter(None, (said, until, text_of(body, "reason"))))


def _after(text: str, before: str) -> str:
    """Return `text` with `before` in front of it; "" if `text` is empty."""
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
    "rolled-back": _rolled_back,
    "abandoned": _abandoned,
    "drift": _drift,
    WAY_LINE: way_sentence,
}
