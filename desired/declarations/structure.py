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

        `path` has the names of tables, and then that of the key. Return True also if something on the path is no table,
        so that the key is not reported as missing.
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
        """Return whether the key at `path` is missing. Return False if another key is probably this one, misspelt."""
        return not self.gives(*path) and path not in {(*flaw.path[:-1], flaw.hint) for flaw in self.flaws}


def read_tables(into: type[Tables], document: Mapping[str, Any]) -> Reading[Tables]:
    """Return the document as tables of the class `into`, with its flaws. Invalid documents raise nothing."""
    flaws: list[Flaw] = []
    tables = _reader(into)(document, (), flaws)  # type: ignore[arg-type]  # a class is hashable
    return Reading(document, tables, tuple(flaws))


@cache
def _reader(of: Any) -> Reader:  # noqa: ANN401  # a type as it is written at a key
    """Return the reader of a type: of a kind of value, a table, or a list or a mapping of them.

    `X | None` is read as X, since a document has no None. Raise NotImplementedError for any other type.
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
    """Return the reader of a value that `read_value` reads, or refuses by RefusedError."""

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        try:
            return read_value(value)
        except RefusedError as refused:
            flaws.append(Flaw(path, refused.message, refused.hint))
            return None

    return read


def _table_reader(into: type[Any]) -> Reader:
    """Return the reader of a table as the attrs class `into`. A key that is unknown or not accepted is left out."""
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
    """Return the reader of a table with keys of any name. An item that is not accepted is left out."""

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
    """Return the reader of a list. It returns a tuple, or None if any item is not accepted."""

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        if not isinstance(value, list):
            flaws.append(_not_a([], value, path))
            return None
        items = tuple(read_item(item, (*path, index), flaws) for index, item in enumerate(value))
        return None if None in items else items

    return read


def _filled_list_reader(read_list: Reader) -> Reader:
    """Return the reader of a list that `read_list` reads, and that may not be empty, nor start with an empty text."""

    def read(value: object, path: Path, flaws: list[Flaw]) -> object:
        items = read_list(value, path, flaws)
        if items is None or (items and items[0]):
            return items
        flaws.append(Flaw(path, "may not be empty, nor start with an empty text"))
        return None

    return read


def _not_a(wanted: object, value: object, path: Path) -> Flaw:
    """Return the flaw that the value at `path` is not of the same type as `wanted`."""
    return Flaw(path, f"wants {shown(wanted)}, not {shown(value)}")
