"""Looks at the scripts of a recipe's tests before anything is deployed: the kernel must be able to execute them."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from desired.model import Recipe

_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = 256
Argv = tuple[str, ...]
Missing = Callable[[Sequence[str]], Sequence[str]]


def unfit_scripts(recipe: Recipe, missing: Missing, *, needed: bool = False) -> tuple[str, ...]:
    """What keeps the scripts that a recipe names by a path from being executed, each with its file and a remedy.

    A command without a slash is looked for in PATH when it is run, and is none. `missing` tells which programs are not
    in PATH. Of a recipe that is only `needed`, what deploys it is looked at.
    """
    commands = _deploying(recipe) if needed else (*_deploying(recipe), *_proving(recipe))
    names = dict.fromkeys(argv[0] for argv in commands if "/" in argv[0])
    found = ((recipe.folder / name, _unfit(recipe.folder / name, missing)) for name in names)
    return tuple(f"{path}: {why}" for path, why in found if why)


def _deploying(recipe: Recipe) -> Iterator[Argv]:
    yield from recipe.install.secrets.values()
    yield from recipe.install.steps
    yield from filter(None, (recipe.ready.run,))


def _proving(recipe: Recipe) -> Iterator[Argv]:
    data, backup = recipe.data, recipe.backup
    yield from filter(None, (data.mark, data.check, backup.take, backup.restore))
    yield from recipe.custom.run


def _unfit(path: Path, missing: Missing) -> str:
    """Why the kernel would not execute a file, "" where nothing is seen. Raises OSError where it cannot be read."""
    if not path.is_file():
        return "there is no such file: put it there, or name another one"
    if not os.access(path, os.X_OK):
        return "it has no x bit: chmod +x, and commit that"
    with path.open("rb") as file:
        line = file.read(_LONGEST_LINE).split(b"\n", 1)[0]
    return unfit_first_line(line, missing)


def unfit_first_line(line: bytes, missing: Missing) -> str:
    """Why a file with this first line cannot be executed, "" for anything that is no script."""
    if line.startswith(_MARK + b"#!"):
        return "it begins with a byte order mark: save it without one"
    if not line.startswith(b"#!"):
        return ""
    if line.endswith(b"\r"):
        return "its first line ends with a carriage return: save it with line ends of Unix"
    program, *words = line[2:].decode("utf-8", "surrogateescape").split() or [""]
    if not os.access(program, os.X_OK):
        return f"its interpreter {program} is not on this host: install it"
    if Path(program).name != "env":
        return ""
    named = next((word for word in words if not word.startswith("-") and "=" not in word), "")
    return f"its interpreter {named} is not on this host: install it" if named and missing([named]) else ""
