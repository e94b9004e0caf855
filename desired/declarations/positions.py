"""Finds the line and column of each key and list element of a TOML text.

This module is imported only if there is a problem, because its libraries are slow to load.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import tomli
from attrs import define, field, frozen
from tree_sitter import Language, Node, Parser
from tree_sitter_toml import language

from desired.declarations.problems import Path

Position = tuple[int, int]
"""Line and column, both from 1; the column counts characters."""

START: Final[Position] = (1, 1)
_KEYS: Final = frozenset({"bare_key", "quoted_key", "dotted_key"})
_HEADERS: Final = frozenset({"table", "table_array_element"})


@frozen
class Document:
    """A TOML text and its syntax tree."""

    lines: list[bytes]
    root: Node

    @classmethod
    def parse(cls, text: str) -> "Document":
        encoded = text.encode()
        return cls(encoded.split(b"\n"), Parser(Language(language())).parse(encoded).root_node)

    def position(self, node: Node) -> Position:
        row, column = node.start_point
        return row + 1, len(self.lines[row][:column].decode()) + 1


def positions(text: str) -> Mapping[Path, Position]:
    """Return the position of each key and list element of a valid TOML text, by its path.

    A table in several parts has the position of its first part.
    """
    document = Document.parse(text)
    walk = _Walk(document)
    # An explicit stack: values may nest deeper than Python allows calls to.
    pending: list[tuple[Node, Path]] = [(document.root, ())]
    while pending:
        pending.extend(reversed(list(walk.enter(*pending.pop()))))
    return walk.found


def nearest_position(known: Mapping[Path, Position], path: Path) -> Position:
    """Return the position that `known` has for `path`, or for its nearest parent; else (1, 1)."""
    parts = (path[:length] for length in range(len(path), 0, -1))
    return next((known[part] for part in parts if part in known), START)


def repeated_key(text: str, end: int) -> tuple[str, Position]:
    """Return the key that a TOML text has twice, as it is written there, and the position of the second one.

    `end` is the offset in `text` at which tomli reports the repetition. tomli does not name the key, so the key of the
    last statement that ends at or before `end` is returned. Return "a key" and (1, 1) if there is no such statement.
    """
    document = Document.parse(text)
    limit = len(text[:end].encode())
    ended = [(last.end_byte, key) for key, last in _statements(document.root) if last.end_byte <= limit]
    if not ended:
        return "a key", START
    _, key = max(ended, key=lambda statement: statement[0])
    return (key.text or b"").decode(), document.position(key)


def _statements(root: Node) -> Iterator[tuple[Node, Node]]:
    """Yield the key and the last node of each statement below `root`, the syntax tree of a TOML text.

    A statement is `key = value`, whose last node is the value, or a table header, whose last node is the key.
    """
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        key = _key_of(node)
        if key is not None:
            value = key.next_named_sibling if node.type == "pair" else None
            yield key, value or key


def _key_of(node: Node) -> Node | None:
    """Return the key of a pair or a table header; None for any other node."""
    if node.type != "pair" and node.type not in _HEADERS:
        return None
    return next((child for child in node.named_children if child.type in _KEYS), None)


@define
class _Walk:
    """Collects the positions of keys and list elements while a TOML text is walked through.

    * `found`: the positions so far, by path.
    * `arrays`: how many elements of each array of tables were found so far, by the path of the array.
    """

    document: Document
    found: dict[Path, Position] = field(factory=dict)
    arrays: dict[Path, int] = field(factory=dict)

    def enter(self, node: Node, base: Path) -> Iterator[tuple[Node, Path]]:
        """Record the position of the key of `node` if it has one, and of each element if `node` is a list.

        Yield a pair for each node directly within `node`, except the key: the inner node and its path. If `node` is a
        list, the path ends with the index of the element. Otherwise it is the path of the key of `node`, or `base` if
        there is no key.

        `base` is the path of the table or list in which `node` is. A path has the keys and indexes from the root on.

        Example: `node` is `status = [200, 204]`, and `base` is ("ready",). Record the position of ("ready", "status"),
        and yield the list with that path. If `node` is this list, and `base` that path, record the positions of
        ("ready", "status", 0) and ("ready", "status", 1), and yield each number with its path.
        """
        key = _key_of(node)
        inside = [child for child in node.named_children if child != key]
        if key is not None:
            base = self._named(key, base, is_element=node.type == "table_array_element")
        if node.type == "array":
            yield from self._elements(inside, base)
        else:
            yield from ((child, base) for child in inside)

    def _named(self, key: Node, base: Path, *, is_element: bool) -> Path:
        """Record the position of each part of a key such as `a.b`. Return the path of the key, such as ("a", "b").

        `base` is the path of the table in which the key is. `is_element` is True if the key is in a header `[[key]]`,
        which begins the next element of an array of tables. The path then ends with the index of that element.
        """
        parts = list(_parts(key))
        for number, (part, node) in enumerate(parts, start=1):
            base = (*base, part)
            self.found.setdefault(base, self.document.position(node))
            if is_element and number == len(parts):
                self.arrays[base] = self.arrays.get(base, 0) + 1
            if base in self.arrays:
                base = (*base, self.arrays[base] - 1)
                self.found.setdefault(base, self.document.position(node))
        return base

    def _elements(self, values: list[Node], base: Path) -> Iterator[tuple[Node, Path]]:
        """Record the positions of the elements of the list at the path `base`. Yield each element with its path."""
        elements = (value for value in values if value.type not in {"comment", "ERROR"})
        for index, value in enumerate(elements):
            self.found[(*base, index)] = self.document.position(value)
            yield value, (*base, index)


def _parts(key: Node) -> Iterator[tuple[str, Node]]:
    """Yield the parts of a key, unquoted, each with its node. For `a."b.c"` they are `a` and `b.c`."""
    pending = [key]
    while pending:
        node = pending.pop()
        if node.type == "dotted_key":
            pending.extend(reversed(node.named_children))
        elif node.type in _KEYS and node.text is not None:
            yield next(iter(tomli.loads(f"{node.text.decode()} = 0"))), node
