"""Writes records as ASCII JSON, and reads them strictly: any text that this module did not write is refused."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


class NotARecordError(ValueError):
    """A text is not a record of the expected type."""


def canonical_json(value: object) -> str:
    """Return the JSON text of a value in one fixed form: sorted keys, no spaces, and only ASCII.

    Other characters are escaped, also lone surrogates, which stand for bytes that are not UTF-8. Raise ValueError for
    NaN and infinity.
    """
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dump(value: object) -> str:
    """Return a record as JSON text. `load` reads it again."""
    return canonical_json(_converter().unstructure(value))


def load(text: str, kind: type[T]) -> T:
    """Return the record of type `kind` that `dump` wrote as `text`. Raise NotARecordError for any other text."""
    from cattrs.errors import ForbiddenExtraKeysError

    try:
        return _converter().structure(json.loads(text), kind)
    except (ForbiddenExtraKeysError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotARecordError(f"not a {kind.__name__}: {error}") from error


def storable(text: str) -> str:
    """Return `text` in a form that SQLite can store: each lone surrogate becomes an escape of six characters.

    SQLite stores UTF-8, which has no form for lone surrogates.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def time_text(moment: datetime) -> str:
    """Return a time as text in UTC, such as 2027-03-01T12:00:00.000000Z.

    Raise ValueError for a time without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """Return the time that `time_text` wrote as `text`. Raise ValueError for any other text."""
    moment = datetime.fromisoformat(text)
    if time_text(moment) != text:
        raise ValueError(f"{text!r} is not a time as it is written here")
    return moment


@cache
def _converter() -> "Converter":
    """Return the converter that turns records into plain data and back.

    It raises an error if a value has another type than its field declares.
    """
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_unstructure_hook(datetime, time_text)
    converter.register_structure_hook(datetime, lambda value, _: time_of(value))
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, lambda value, _: _as_date(value))
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, lambda value, _: _as_float(value))
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter


def _as_date(value: object) -> date:
    """Return the day that a text such as 2027-03-01 names. Raise TypeError or ValueError for any other value."""
    if not isinstance(value, str) or date.fromisoformat(value).isoformat() != value:
        raise TypeError(f"{value!r} is not a day")
    return date.fromisoformat(value)


def _as_float(value: object) -> float:
    """Return a JSON number as a float, even if it is written as an integer. Raise TypeError for any other value."""
    if type(value) not in {float, int}:
        raise TypeError(f"{value!r} is not a number")
    return float(value)  # type: ignore[arg-type]  # int or float, as checked above


def _exactly(kind: type) -> Callable[[object, object], object]:
    """Return a function for cattrs that accepts only values of the type `kind`. It raises TypeError for others.

    Without it, cattrs would turn the text "1" and True into the number 1.
    """

    def structure(value: object, _: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return structure
