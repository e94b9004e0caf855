"""Writes records as ASCII JSON, and reads them strictly: any text that this module did not write is refused."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from attrs import asdict, fields, has

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""Reads a value of parsed JSON. It raises TypeError or ValueError for a value that `dump` does not write."""


class NotARecordError(ValueError):
    """A text is not a record of the expected type."""


def canonical_json(value: object) -> str:
    """Return the JSON text of a value in one fixed form: sorted keys, no spaces, and only ASCII.

    Other characters are escaped, also lone surrogates, which stand for bytes that are not UTF-8. Raise ValueError for
    NaN and infinity.
    """
    return _canonical(value)


def _canonical(value: object, default: Callable[[object], object] | None = None) -> str:
    """Return the JSON text of a value in one fixed form: sorted keys, no spaces, and only ASCII.

    `default` turns a value of a type that JSON lacks, such as a time, into one that JSON has. If `default` is None,
    raise TypeError for such a value.
    """
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False, default=default)


def _as_json(value: object) -> object:
    """Return a time or a day as text, and a record or a mapping as a dict. Raise TypeError for any other value."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return asdict(value, recurse=False) if has(type(value)) else dict(value)  # type: ignore[arg-type,call-overload]


def dump(record: object) -> str:
    """Return a record as JSON text with sorted keys and no spaces. `load` makes the record again from this text."""
    return _canonical(record, _as_json)


def load(text: str, kind: type[T]) -> T:
    """Return the record that `text` describes. `kind` is its class, and `text` is what `dump` returned for the record.

    Raise NotARecordError if the text is not JSON, or is not of a record of this class.
    """
    try:
        record: T = _reader(kind)(json.loads(text))  # type: ignore[arg-type]  # a class is hashable
    except (ValueError, TypeError, RecursionError) as error:
        raise NotARecordError(f"not a {kind.__name__}: {error}") from error
    return record


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


def _exactly(kind: type) -> Reader:
    """Return a reader that returns a value of exactly the type `kind`, and raises TypeError for any other value.

    The reader for int refuses True, for example, although True is an int for Python.
    """

    def read(value: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return read


# ---- readers ----

_READERS: Final[Mapping[Any, Reader]] = {
    **{kind: _exactly(kind) for kind in (str, int, bool)},
    float: _as_float,
    datetime: time_of,
    date: _as_date,
    object: lambda value: value,
}


@cache
def _reader(kind: Any) -> Reader:  # noqa: ANN401  # a type as it is written at a field
    """Return the reader that turns parsed JSON into a value of the type `kind`, which is the type of a record's field.

    `kind` is a type in `_READERS`, a class of records, or `X | None`, a tuple or a mapping of these. Raise
    NotImplementedError for any other type.
    """
    if kind in _READERS:
        return _READERS[kind]
    if has(kind):
        return _record_reader(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {UnionType, Union}:
        return _optional_reader(_reader(parts[0]))
    if origin is tuple:
        return _list_reader(_reader(parts[0]))
    if origin is Mapping:
        return _mapping_reader(_reader(parts[1]))
    raise NotImplementedError(f"records have no fields of the type {kind}")


def _record_reader(kind: type[Any]) -> Reader:
    """Return a reader that turns a JSON object into a record of the class `kind`.

    A missing key gets the field's default. The reader raises ValueError for an unknown key, TypeError for a missing key
    whose field has no default.
    """
    readers = [(each.name, _reader(each.type)) for each in fields(kind)]

    def read(value: object) -> object:
        table = _as_table(value)
        given = {name: read_field(table[name]) for name, read_field in readers if name in table}
        if len(given) != len(table):
            raise ValueError(f"unknown keys: {', '.join(sorted(table.keys() - given.keys()))}")
        return kind(**given)

    return read


def _as_table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a table")
    return value


def _mapping_reader(read_item: Reader) -> Reader:
    return lambda value: {key: read_item(item) for key, item in _as_table(value).items()}


def _list_reader(read_item: Reader) -> Reader:
    """Return a reader that turns a JSON list into a tuple. `read_item` reads each item of the list."""

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is not a list")
        return tuple(map(read_item, value))

    return read


def _optional_reader(read_value: Reader) -> Reader:
    return lambda value: None if value is None else read_value(value)
