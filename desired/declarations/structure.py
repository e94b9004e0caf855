"""Turns a TOML document into typed tables, and collects all of its flaws."""

from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

from attrs import fields, frozen, has

from desired.declarations.problems import Flaw, Path, RefusedError, nearest, shown
from desired.declarations.tables import toml_key
from desired.declarations.values import FILLED_LISTS, KINDS

Tables = TypeVar("Tables")
Reader = Callable[[object, Path, list[Flaw]], Any]
"""Reads the value at a path of a document. It returns None and adds a flaw to the list if the value is not accepted."""


@frozen
class Reading(Generic[Tables]):
    """A TOML document, its typed tables, and its flaws. In `tables`, a key with a flaw is None, like a missing one."""

    document: Mapping[str, Any]
    tables: Tables
    flaws: tuple[Flaw, ...] = ()

    def gives(self, *path: str) -> bool:
        """Return whether the document has the key at `path`, valid or not.

        `path` has the names of tables, and last the name of the key. Return True also if one of these tables is no
        table, but for example a number, so that the key is not reported as missing too.
        """
        inside: Any = self.document
        for key in path:
            if not isinstance(inside, dict):
                return True
            if key not in inside:
                return False
            inside = inside[key]
        return True

    def lacks(self, *path: str) -> bool:
        """Return whether the key at `path` is missing. A key that is probably misspelt does not count as missing."""
        return not self.gives(*path) and path not in {(*flaw.path[:-1], flaw.hint) for flaw in self.flaws}


def read_tables(into: type[Tables], document: Mapping[str, Any]) -> Reading[Tables]:
    """Return a TOML document as typed tables, with its flaws. `into` is the class of the tables. Raise no error."""
    flaws: list[Flaw] = []
    tables = _reader(into)(document, (), flaws)  # type: ignore[arg-type]  # a class is hashable
    return Reading(document, tables, tuple(flaws))


@cache
def _reader(of: Any) -> Reader:  # noqa: ANN401  # a type as it is written at a key
    """Return the reader that turns a parsed TOML value into a value of the type `of`, the declared type of a key.

    `of` is a kind of value in KINDS, a class of tables, or a list or a mapping of these. `X | None` is read as X,
    because TOML has no None. Raise NotImplementedError for any other type.
    """
    if of in KINDS:
        return _value_reader(KINDS[of].read)
    if of in FILLED_LISTS:
        return _filled_list_reader(_reader(FILLED_LISTS[of]))
    if has(of):
        return _table_reader(of)
    origin, parts = get_origin(of), get_args(of)
    if origin in {UnionType, Union}:
        return _reader(parts[0])
    if origin is tuple:
        return _list_reader(_reader(parts[0]))
    if origin is Mapping:
        return _mapping_reader(*map(_reader, parts))
    raise NotImplementedError(f"declarations have no keys of the type {of}")


def _value_reader(read_value: Callable[[object], object]) -> Reader:
    """Return a reader that calls `read_value`. If that raises RefusedError, the reader adds a flaw and returns None."""

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        try:
            return read_value(value)
        except RefusedError as refused:
            flaws.append(Flaw(path, refused.message, refused.hint))
            return None

    return read


def _table_reader(into: type[Any]) -> Reader:
    """Return a reader that turns a table into an object of the attrs class `into`.

    The reader adds a flaw for a key that is unknown or whose value is not accepted, and leaves the key out.
    """
    keys: Final = {toml_key(key.name): key for key in fields(into)}

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        if not isinstance(value, dict):
            flaws.append(_not_a({}, value, path))
            return None
        given = {}
        for name, inner in value.items():
            if name not in keys:
                flaws.append(Flaw((*path, name), "is not a known key", nearest(name, keys)))
            elif (read_value := _reader(keys[name].type)(inner, (*path, name), flaws)) is not None:
                given[keys[name].name] = read_value
        return into(**given)

    return read


def _mapping_reader(read_key: Reader, read_item: Reader) -> Reader:
    """Return a reader that turns a table into a dict. The keys of the table may have any name.

    `read_key` checks each key, and `read_item` reads its value. The reader leaves out what one of them does not accept.
    """

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        if not isinstance(value, dict):
            flaws.append(_not_a({}, value, path))
            return None
        items = {key: read_item(item, (*path, key), flaws) for key, item in value.items()}
        return {
            key: item
            for key, item in items.items()
            if item is not None and read_key(key, (*path, key), flaws) is not None
        }

    return read


def _list_reader(read_item: Reader) -> Reader:
    """Return a reader that turns a list into a tuple. `read_item` reads each item.

    The reader returns None if `read_item` does not accept one of the items.
    """

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        if not isinstance(value, list):
            flaws.append(_not_a([], value, path))
            return None
        items = tuple(read_item(item, (*path, index), flaws) for index, item in enumerate(value))
        return None if None in items else items

    return read


def _filled_list_reader(read_list: Reader) -> Reader:
    """Return a reader that reads a list with `read_list`, and refuses it if it is empty or starts with an empty text.

    For such a list the reader adds a flaw and returns None.
    """

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        items = read_list(value, path, flaws)
        if items is None or (items and items[0]):
            return items
        flaws.append(Flaw(path, "may not be empty, nor start with an empty text"))
        return None

    return read


def _not_a(wanted: object, value: object, path: Path) -> Flaw:
    """Return the flaw at `path`: `value` is no table (if `wanted` is {}), or no list (if `wanted` is [])."""
    return Flaw(path, f"wants {shown(wanted)}, not {shown(value)}")
