"""Looks at the scripts of a recipe's tests before anything is deployed: the kernel must be able to execute them."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from desired.model import Recipe

_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = 256
_NO_FILE = "there is no such file: put it there, or name another one"
_CARRIAGE_RETURN = "its first line ends with a carriage return: save it with line ends of Unix"
_SHELL = re.compile(r"(?:ba|da|k|z)?sh")
# By interpreter, the options that take no word after them and bring no program of their own, as -c, -m and -e do.
_INTERPRETERS = {
    _SHELL: re.compile(r"-[aefuvx]+"),
    re.compile(r"python(?:3(?:\.\d+)?)?"): re.compile(r"-[bBdEiIOPsSuvx]+"),
    re.compile(r"perl"): re.compile(r"-[tTuwW]+"),
    re.compile(r"ruby|node|php"): re.compile(r"(?!)"),
}
Argv = tuple[str, ...]
Missing = Callable[[Sequence[str]], Sequence[str]]


def unfit_scripts(recipe: Recipe, missing: Missing, *, needed: bool = False) -> tuple[str, ...]:
    """What keeps the scripts that a recipe names by a path from being executed, each with its file and a remedy.

    A command without a slash is looked for in PATH when it is run, and is none; of an interpreter, the script that it
    is given is looked at. `missing` tells which programs are not in PATH. Of a recipe that is only `needed`, what
    deploys it is looked at.
    """
    commands = tuple(_deploying(recipe)) if needed else (*_deploying(recipe), *_proving(recipe))
    found = (*_unfit_programs(recipe.folder, commands, missing), *_unfit_given(recipe.folder, commands))
    return tuple(f"{path}: {why}" for path, why in dict(found).items())


def script_given(argv: Argv) -> str:
    """The script that a command gives to a shell, Python or another interpreter, "" where it gives none."""
    name = Path(argv[0]).name
    options = next((options for known, options in _INTERPRETERS.items() if known.fullmatch(name)), None)
    if options is None:
        return ""
    script = next((word for word in argv[1:] if not options.fullmatch(word)), "")
    return "" if script.startswith("-") else script


def _unfit_programs(folder: Path, commands: Sequence[Argv], missing: Missing) -> Iterator[tuple[Path, str]]:
    for name in dict.fromkeys(argv[0] for argv in commands if "/" in argv[0]):
        if why := _unfit(folder / name, missing):
            yield folder / name, why


def _unfit_given(folder: Path, commands: Sequence[Argv]) -> Iterator[tuple[Path, str]]:
    for argv in commands:
        name = script_given(argv)
        path = folder / name
        if name and not path.is_file():
            yield path, _NO_FILE
        elif name and _SHELL.fullmatch(Path(argv[0]).name) and first_line(path).endswith(b"\r"):
            yield path, _CARRIAGE_RETURN


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
        return _NO_FILE
    if not os.access(path, os.X_OK):
        return "it has no x bit: chmod +x, and commit that"
    return unfit_first_line(first_line(path), missing)


def first_line(path: Path) -> bytes:
    """The first line of a file without its end, or the start of one that is long."""
    with path.open("rb") as file:
        return file.read(_LONGEST_LINE).split(b"\n", 1)[0]


def unfit_first_line(line: bytes, missing: Missing) -> str:
    """Why a file with this first line cannot be executed, "" for anything that is no script."""
    if line.startswith(_MARK + b"#!"):
        return "it begins with a byte order mark: save it without one"
    if not line.startswith(b"#!"):
        return ""
    if line.endswith(b"\r"):
        return _CARRIAGE_RETURN
    program, *words = line[2:].decode("utf-8", "surrogateescape").split() or [""]
    if not os.access(program, os.X_OK):
        return f"its interpreter {program} is not on this host: install it"
    if Path(program).name != "env":
        return ""
    named = next((word for word in words if not word.startswith("-") and "=" not in word), "")
    return f"its interpreter {named} is not on this host: install it" if named and missing([named]) else ""
