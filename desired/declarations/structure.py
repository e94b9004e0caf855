"""Turns a TOML document into typed tables, and collects all of its flaws."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import fields, frozen, has

from desired.declarations.problems import Flaw, Path, RefusedError, nearest, shown
from desired.declarations.tables import toml_key
from desired.declarations.values import FILLED_LISTS, KINDS

if TYPE_CHECKING:
    from cattrs import Converter
    from cattrs.errors import BaseValidationError

Tables = TypeVar("Tables")
Hook = Callable[[Any, Any], Any]


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
    from cattrs.errors import BaseValidationError

    try:
        return Reading(document, _converter().structure(document, into))
    except BaseValidationError as error:
        flaws = tuple(_flaws(error, ()))
        readable = _without(document, frozenset(_named(flaw.path) for flaw in flaws))
        return Reading(document, _converter().structure(readable, into), flaws)


def _named(path: Path) -> Path:
    """Return the path up to its first list index, because one invalid element makes the whole list invalid."""
    index = next((place for place, step in enumerate(path) if isinstance(step, int)), len(path))
    return path[:index]


def _without(document: Mapping[str, Any], paths: frozenset[Path], base: Path = ()) -> dict[str, Any]:
    """Return the table `document`, which is at the path `base`, without the values at `paths`."""
    kept = {key: value for key, value in document.items() if (*base, key) not in paths}
    return {
        key: _without(value, paths, (*base, key)) if isinstance(value, dict) else value for key, value in kept.items()
    }


def _flaws(error: "BaseValidationError", base: Path) -> Iterator[Flaw]:
    """Yield a flaw for each error that cattrs found in the table or list at the path `base`.

    Errors of other kinds are no fault of the document, and are raised again.
    """
    from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError

    for cause in error.exceptions:
        path = (*base, *_step(cause))
        match cause:
            case BaseValidationError():
                yield from _flaws(cause, path)
            case ForbiddenExtraKeysError():
                known = [toml_key(key.name) for key in fields(cause.cl)]
                for key in sorted(cause.extra_fields):
                    yield Flaw((*path, key), "is not a known key", nearest(key, known))
            case RefusedError():
                yield Flaw(path, cause.message, cause.hint)
            case _:
                raise cause


def _step(cause: Exception) -> Path:
    """Return the key or list index at which cattrs found an error, as a path of one part; () if it names none."""
    from cattrs.errors import AttributeValidationNote, IterableValidationNote

    for note in getattr(cause, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (toml_key(note.name),)
        if isinstance(note, IterableValidationNote):
            return (note.index,)
    return ()


@cache
def _converter() -> "Converter":
    """Return a converter that accepts only exact types. cattrs alone would read the text "10" as a number."""
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory as tuple_hook
    from cattrs.cols import is_mapping, mapping_structure_factory

    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(has, lambda of, using: _only(dict, _table_hook(of, using)))
    converter.register_structure_hook_factory(
        is_mapping, lambda of, using: _only(dict, mapping_structure_factory(of, using))
    )
    converter.register_structure_hook_factory(_is_tuple, lambda of, using: _only(list, tuple_hook(of, using)))
    for kind, how in KINDS.items():
        converter.register_structure_hook(kind, _reader(how.read))
    for kind, plain in FILLED_LISTS.items():
        converter.register_structure_hook(kind, _filled(converter.get_structure_hook(plain)))
    return converter


def _is_tuple(of: Any) -> bool:  # noqa: ANN401
    return getattr(of, "__origin__", None) is tuple


def _table_hook(of: Any, using: "Converter") -> Hook:  # noqa: ANN401
    """Return the function with which the converter `using` reads a table as the attrs class `of`, by its keys in TOML.

    The function is made when the first such table is read: each takes a millisecond, and most fleets use few tables.
    """
    from cattrs.gen import make_dict_structure_fn, override

    renamed: dict[str, Any] = {
        key.name: override(rename=toml_key(key.name)) for key in fields(of) if toml_key(key.name) != key.name
    }

    @cache
    def made() -> Hook:
        return make_dict_structure_fn(of, using, **renamed)

    def read(value: object, into: object) -> object:
        return made()(value, into)

    return read


def _reader(read: Callable[[object], object]) -> Hook:
    return lambda value, _: read(value)


def _only(shape: type[dict[str, Any]] | type[list[Any]], hook: Hook) -> Hook:
    """Return a function for cattrs that calls `hook` for values of the type `shape`.

    It raises RefusedError for any other value.
    """

    def strict(value: object, of: object) -> object:
        if not isinstance(value, shape):
            raise RefusedError(f"wants {shown(shape())}, not {shown(value)}")
        return hook(value, of)

    return strict


def _filled(hook: Hook) -> Hook:
    """Return a function for cattrs that reads a list by `hook`.

    It raises RefusedError for an empty list, and for a list that begins with an empty text.
    """

    def strict(value: object, of: object) -> object:
        items = hook(value, of)
        if not items or not items[0]:
            raise RefusedError("may not be empty, nor start with an empty text")
        return items

    return strict
