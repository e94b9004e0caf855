"""Adapts compose files to the version and the folder of the first one, so that Docker's client can merge them.

The client resolves all paths from the first file's folder. Changes only parts of the text, at positions that a YAML
parser reports: Docker's own parser sees all the rest unchanged.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import yaml
from attrs import frozen

# The first version of the compose format in which volumes, networks, configs and secrets can have a `name`.
_NAMES_OBJECTS = (3, 5)
_NEW_ENOUGH = "3.8"


@frozen
class _Edit:
    """A replacement: `text` instead of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def naming_version(version: str) -> str:
    """Return `version`, or "3.8" if volumes, networks, configs and secrets cannot have a `name` in that version."""
    parts = version.split(".")
    is_old = all(part.isdecimal() for part in parts) and tuple(map(int, parts)) < _NAMES_OBJECTS
    return _NEW_ENOUGH if is_old else version


@contextmanager
def files_beside_first(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Yield a path for each of `files`, to give to Docker's client. The client can read each path alone, or merge all.

    A file is copied to the folder of the first one if it is elsewhere, has another version (which Docker does not
    merge), or names an `env_file` that exists only in its own folder. The copies are removed at the end.
    """
    with ExitStack() as stack:
        yield tuple(_copy(stack, files[0], file, number) for number, file in enumerate(files))


def _copy(stack: ExitStack, first: Path, file: Path, number: int) -> Path:
    try:
        text = normalize(file, first.parent, version_of(first.read_text("utf-8")))
        is_so = file.parent == first.parent and text == file.read_text("utf-8")
    except (OSError, ValueError):
        # The client reports the error.
        return file
    if file == first or is_so:
        return file
    copy = first.with_name(f".canon-overlay-{number}.yml")
    stack.callback(copy.unlink, missing_ok=True)
    copy.write_text(text, "utf-8")
    return copy


def normalized(files: Sequence[Path], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file, adapted to the folder and the version of the first file.

    `names` has one name for each of `files`. A version older than 3.5 becomes 3.8 (see `naming_version`). Leaves out
    files that cannot be read.
    """
    with suppress(OSError, ValueError):
        first = version_of(files[0].read_text("utf-8"))
        version = None if first is None else naming_version(first)
        for file, name in zip(files, names, strict=True):
            with suppress(OSError, ValueError):
                yield name, normalize(file, files[0].parent, version)


def normalize(file: Path, folder: Path, version: str | None) -> str:
    """Return the text of `file` with the version `version` (None: without one), for a copy of the file in `folder`.

    An `env_file` that exists only beside `file` is still found. Raises OSError or ValueError if `file` cannot be read.
    """

    def found(name: str) -> str:
        beside = file.parent / name
        if (folder / name).exists() or not beside.is_file():
            return name
        return str(beside.relative_to(folder) if beside.is_relative_to(folder) else beside)

    return replace_env_files(set_version(file.read_text("utf-8"), version), found)


def version_of(text: str) -> str | None:
    """Return the version of a compose file; None if it has none or is not valid YAML."""
    root = _root(text)
    pair = _pair(root, "version") if root else None
    return str(pair[1].value) if pair else None


def set_version(text: str, version: str | None) -> str:
    """Return the text with `version`; None removes the version. Text that is no YAML mapping stays as it is."""
    root = _root(text)
    if root is None or not root.value:
        return text
    pair = _pair(root, "version")
    if pair is None:
        return text if version is None else _edited(text, [_added(root, version)])
    if version is None:
        return _edited(text, [_removed(root, pair)])
    same = str(pair[1].value) == version
    return text if same else _edited(text, [_Edit(_start(pair[1]), _end(pair[1]), json.dumps(version))])


def replace_env_files(text: str, found: Callable[[str], str]) -> str:
    """Return the text with each `env_file` path replaced by `found(path)`."""
    nodes = [node for service in _services(_root(text)) for node in _scalars(_pair(service, "env_file"))]
    new = [(node, found(node.value)) for node in nodes]
    return _edited(text, [_Edit(_start(node), _end(node), json.dumps(to)) for node, to in new if to != node.value])


def value_at(text: str, *keys: str) -> str:
    """Return the value at a path of keys in a compose file; "" if there is no single value."""
    node: yaml.Node | None = _root(text)
    for key in keys:
        pair = _pair(node, key) if isinstance(node, yaml.MappingNode) else None
        node = pair[1] if pair else None
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _root(text: str) -> yaml.MappingNode | None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def _pair(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _services(root: yaml.MappingNode | None) -> Iterator[yaml.MappingNode]:
    pair = _pair(root, "services") if root else None
    if pair and isinstance(pair[1], yaml.MappingNode):
        yield from (service for _, service in pair[1].value if isinstance(service, yaml.MappingNode))


def _scalars(pair: tuple[yaml.Node, yaml.Node] | None) -> Iterator[yaml.ScalarNode]:
    found = () if pair is None else pair[1].value if isinstance(pair[1], yaml.SequenceNode) else (pair[1],)
    return (node for node in found if isinstance(node, yaml.ScalarNode))


def _added(root: yaml.MappingNode, version: str) -> _Edit:
    if root.flow_style:
        place = _start(root) + 1
        return _Edit(place, place, f'"version": {json.dumps(version)}, ')
    place = _start(root)
    return _Edit(place, place, f"version: {json.dumps(version)}\n{' ' * root.start_mark.column}")


def _removed(root: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node]) -> _Edit:
    """Return the edit that removes a pair of the root, so that the rest of the text is still valid YAML."""
    pairs: list[tuple[yaml.Node, yaml.Node]] = root.value
    place = pairs.index(pair)
    if place + 1 < len(pairs):
        return _Edit(_start(pair[0]), _start(pairs[place + 1][0]), "")
    if place == 0:
        return _Edit(_start(pair[0]), _end(pair[1]), '"services": {}' if root.flow_style else "services: {}")
    before = pairs[place - 1][1]
    start = _end(before) if root.flow_style else _start(pair[0])
    return _Edit(start, _end(pair[1]), "")


def _start(node: yaml.Node) -> int:
    return int(node.start_mark.index)


def _end(node: yaml.Node) -> int:
    return int(node.end_mark.index)


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
