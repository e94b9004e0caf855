"""Records as ASCII JSON and back, strictly: what was not written here is refused, not bent into shape."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


class NotARecordError(ValueError):
    """A text that is no record of the wanted type."""


def canonical_json(value: object) -> str:
    """The one JSON text of plain data: keys in order, no spaces, all but ASCII escaped.

    Lone surrogates, which stand for bytes that were no text, come back as they were.
    """
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dump(value: object) -> str:
    """The JSON text of a record."""
    return canonical_json(_converter().unstructure(value))


def load(text: str, kind: type[T]) -> T:
    """The record of type `kind` that `dump` wrote; raises NotARecordError."""
    from cattrs.errors import ForbiddenExtraKeysError

    try:
        return _converter().structure(json.loads(text), kind)
    except (ForbiddenExtraKeysError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotARecordError(f"no {kind.__name__}: {error}") from error


def storable(text: str) -> str:
    """A text as a column can hold it: lone surrogates, which no encoding takes, are written out as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def time_text(moment: datetime) -> str:
    """An aware time as RFC 3339 in UTC with microseconds."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """The reverse of `time_text`; nothing else is accepted."""
    moment = datetime.fromisoformat(text)
    if time_text(moment) != text:
        raise ValueError(f"{text!r} is no time as written here")
    return moment


@cache
def _converter() -> "Converter":
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_unstructure_hook(datetime, time_text)
    converter.register_structure_hook(datetime, lambda value, _: time_of(value))
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, lambda value, _: _as_float(value))
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    return converter


def _as_float(value: object) -> float:
    """JSON may write a whole number of seconds as an integer."""
    if type(value) not in {float, int}:
        raise TypeError(f"{value!r} is no number")
    return float(value)  # type: ignore[arg-type]  # int or float, as just seen


def _exactly(kind: type) -> Callable[[object, object], object]:
    """Refuse what is not exactly of this type; cattrs alone would make 1 of "1" and of True."""

    def structure(value: object, _: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return value

    return structure
