"""Adapts compose files to the version and folder of the first file, so that Docker's client can merge the files.

The client resolves relative paths from the folder of the first file. Only single values in the text are changed, at the
positions that a YAML parser reports, so that Docker reads everything else as it was written.
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
    """A change of a text: the characters from `start` to `end` are replaced by `text`."""

    start: int
    end: int
    text: str


def naming_version(version: str) -> str:
    """Return a compose version in which volumes, networks, configs and secrets can have a `name`.

    Return "3.8" if `version` is older than 3.5, and `version` itself in all other cases.
    """
    parts = version.split(".")
    is_old = all(part.isdecimal() for part in parts) and tuple(map(int, parts)) < _NAMES_OBJECTS
    return _NEW_ENOUGH if is_old else version


@contextmanager
def files_beside_first(files: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Yield a path for each of `files`, so that Docker's client can merge what is at these paths.

    The client merges only files of the same compose version, and resolves relative paths from the folder of the first
    file. So a file in another folder, or of another version, is adapted and copied into the folder of the first file.
    For such a file, the path of the copy is yielded; for any other file, its own path. Copies are removed at the end of
    the `with` block.
    """
    with ExitStack() as stack:
        yield tuple(_copy(stack, files[0], file, number) for number, file in enumerate(files))


def _copy(stack: ExitStack, first: Path, file: Path, number: int) -> Path:
    """Return a path at which Docker's client finds `file` in a form that it can merge with `first`.

    * `file` is in the folder of `first`, and has the same compose version: return the path of `file` itself.
    * `file` or `first` cannot be read: return the path of `file` too, because the client then reports the error.
    * In all other cases: return the path of an adapted copy of `file`, in the folder of `first`.

    `number` makes the name of the copy unique. `stack` removes the copy when it is closed.
    """
    try:
        text = normalize(file, first.parent, version_of(first.read_text("utf-8")))
        fits = file.parent == first.parent and text == file.read_text("utf-8")
    except (OSError, ValueError):
        # The client reports the error.
        return file
    if file == first or fits:
        return file
    copy = first.with_name(f".canon-overlay-{number}.yml")
    stack.callback(copy.unlink, missing_ok=True)
    copy.write_text(text, "utf-8")
    return copy


def normalized(files: Sequence[Path], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file, adapted to the folder and the compose version of the first file.

    `names` has the name to yield for each of `files`, in the same order. If the compose version of the first file is
    older than 3.5, all texts get the version 3.8, see `naming_version`. Files that cannot be read are left out. If the
    first file cannot be read, nothing is yielded.
    """
    with suppress(OSError, ValueError):
        first = version_of(files[0].read_text("utf-8"))
        version = None if first is None else naming_version(first)
        for file, name in zip(files, names, strict=True):
            with suppress(OSError, ValueError):
                yield name, normalize(file, files[0].parent, version)


def normalize(file: Path, folder: Path, version: str | None) -> str:
    """Return the text of the compose file `file`, adapted so that it can be written to a file in the folder `folder`.

    * The compose version in the text becomes `version`. If `version` is None, the text gets no compose version.
    * An `env_file` names a path, which Docker resolves from the folder of the compose file. If this path leads to a
      file from the folder of `file`, but to nothing from `folder`, it is replaced by a path that leads to the same
      file.

    Raise OSError or ValueError if `file` cannot be read.
    """

    def path_from_folder(name: str) -> str:
        beside = file.parent / name
        if (folder / name).exists() or not beside.is_file():
            return name
        return str(beside.relative_to(folder) if beside.is_relative_to(folder) else beside)

    return replace_env_files(set_version(file.read_text("utf-8"), version), path_from_folder)


def version_of(text: str) -> str | None:
    """Return the `version` in the text of a compose file; None if there is none, or if the text is not valid YAML."""
    root = _root(text)
    pair = _pair(root, "version") if root else None
    return str(pair[1].value) if pair else None


def set_version(text: str, version: str | None) -> str:
    """Return the text of a compose file with `version` as its compose version; with None, without a compose version.

    If the text is not a YAML mapping, return it unchanged.
    """
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


def replace_env_files(text: str, new_path: Callable[[str], str]) -> str:
    """Return the text of a compose file in which each `env_file` path is replaced by `new_path(path)`."""
    nodes = [node for service in _services(_root(text)) for node in _scalars(_pair(service, "env_file"))]
    new = [(node, new_path(node.value)) for node in nodes]
    return _edited(text, [_Edit(_start(node), _end(node), json.dumps(to)) for node, to in new if to != node.value])


def value_at(text: str, *keys: str) -> str:
    """Return the value in the text of a compose file that is found by `keys`, from the top mapping down.

    For example, `value_at(text, "configs", "app", "name")`. Return "" if there is no such value, or if the value is a
    mapping or a list.
    """
    node: yaml.Node | None = _root(text)
    for key in keys:
        pair = _pair(node, key) if isinstance(node, yaml.MappingNode) else None
        node = pair[1] if pair else None
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _root(text: str) -> yaml.MappingNode | None:
    """Parse YAML. Return its top mapping; None if the text is not valid YAML, or not a mapping."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def _pair(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key and the value of the entry `key` of a mapping; None if there is no such entry."""
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _services(root: yaml.MappingNode | None) -> Iterator[yaml.MappingNode]:
    """Yield the mapping of each service of a compose file. `root` is the top mapping; None for a file without one."""
    pair = _pair(root, "services") if root else None
    if pair and isinstance(pair[1], yaml.MappingNode):
        yield from (service for _, service in pair[1].value if isinstance(service, yaml.MappingNode))


def _scalars(pair: tuple[yaml.Node, yaml.Node] | None) -> Iterator[yaml.ScalarNode]:
    """Yield the scalars in the value of an entry, which is one scalar or a list of them; nothing if `pair` is None."""
    nodes = () if pair is None else pair[1].value if isinstance(pair[1], yaml.SequenceNode) else (pair[1],)
    return (node for node in nodes if isinstance(node, yaml.ScalarNode))


def _added(root: yaml.MappingNode, version: str) -> _Edit:
    """Return the edit that adds `version` as the first entry of the file."""
    if root.flow_style:
        place = _start(root) + 1
        return _Edit(place, place, f'"version": {json.dumps(version)}, ')
    place = _start(root)
    return _Edit(place, place, f"version: {json.dumps(version)}\n{' ' * root.start_mark.column}")


def _removed(root: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node]) -> _Edit:
    """Return the edit that removes an entry of the top mapping `root`. The text is still valid YAML afterwards.

    `pair` has the nodes of the entry's key and value.
    """
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
    """Return `text` with all `edits` made. The edits must not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
