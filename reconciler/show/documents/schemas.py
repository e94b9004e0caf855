"""Makes JSON Schemas of what commands print with `-o json`, from the definitions of format 1."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Definitions = Mapping[str, Any]
"""The schemas below `$defs` of `format1.schema.json`, by name."""

ANSWERS: Final[Mapping[str, str]] = {
    "pass": "report",
    "pass-events": "pass-event",
    "plan": "report",
    "apply": "report",
    "drift": "report",
    "status": "report",
    "explain": "explain",
    "history": "event-line",
    "events": "event-line",
    "report": "line",
    "trial": "report",
    "raise": "raise",
    "logs": "logs",
    "audit": "audit",
    "accept": "line",
    "hold": "line",
    "resume": "line",
    "rollback": "line",
    "forget": "line",
    "evidence": "envelope",
    "prove": "prove",
    "doctor": "doctor",
    "notify": "line",
    "schema": "json-schema",
    "init": "line",
    "demo": "line",
    "saved-plan": "saved-plan",
    "message": "message",
}
"""The definition of each command's answer. "pass" is `reconcile` alone, "saved-plan" the file of `plan --out`.

"pass-events" is a line of `reconcile --events`, and of `apply FILE --events`. "message" is the body of the request to
`[notify.webhook] url`.
"""

LINES: Final = frozenset({"history", "events", "pass-events"})
"""The commands that print one object on each line; their schema is that of a line."""

_WITHOUT_FAILURE: Final = frozenset({"saved-plan", "pass-events", "message"})
_FAILURE: Final = "failure"
_NAMED: Final = {"apply": "pass"}
_REFERENCE: Final = "#/$defs/"


def schema_of(command: str, definitions: Definitions) -> dict[str, Any]:
    """Return the JSON Schema of what a command prints with `-o json`. `command` is a key of ANSWERS, such as "status".

    The schema also allows what the command prints if it fails. `definitions` are all definitions of format 1. The
    definitions that the schema needs are in its `$defs`.
    """
    failure = [] if command in _WITHOUT_FAILURE else [_reference(_FAILURE)]
    line = ", each line" if command in LINES else ""
    return _schema(f"reconcile {command}, format 1{line}", [_answer(command, definitions), *failure], definitions)


def whole_schema(definitions: Definitions) -> dict[str, Any]:
    """Return one JSON Schema for everything that Canon prints in format 1, also for errors.

    `definitions` are all definitions of format 1.
    """
    names = dict.fromkeys((*ANSWERS.values(), _FAILURE))
    return _schema("reconcile, format 1", [_reference(name) for name in names], definitions)


def _schema(title: str, answers: list[dict[str, Any]], definitions: Definitions) -> dict[str, Any]:
    used = _used(answers, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": answers,
        "$defs": {name: schema for name, schema in definitions.items() if name in used},
    }


def _answer(command: str, definitions: Definitions) -> dict[str, Any]:
    """Return the schema of what `command` prints if it succeeds.

    If several commands share the definition of their answer, the schema also fixes the value of the key "command".
    `definitions` are all definitions of format 1.
    """
    name = ANSWERS[command]
    if "enum" not in definitions[name].get("properties", {}).get("command", {}):
        return _reference(name)
    return {**_reference(name), "properties": {"command": {"const": _NAMED.get(command, command)}}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"{_REFERENCE}{name}"}


def _used(schema: object, definitions: Definitions) -> set[str]:
    """Return the names of all definitions to which `schema` refers, directly or through other definitions."""
    used: set[str] = set()
    new = set(_references(schema))
    while new:
        used |= new
        new = {name for each in new for name in _references(definitions[each])} - used
    return used


def _references(schema: object) -> Iterator[str]:
    match schema:
        case Mapping():
            for key, part in schema.items():
                if key == "$ref" and isinstance(part, str):
                    yield part.removeprefix(_REFERENCE)
                else:
                    yield from _references(part)
        case list():
            for part in schema:
                yield from _references(part)
        case _:
            return
