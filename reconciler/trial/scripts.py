"""Checks whether the scripts of a recipe's tests can be executed, before anything is deployed."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from desired.model import Recipe

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_LINE_BYTES = 256
_NO_FILE = "there is no such file: add it, or name another one"
_CARRIAGE_RETURN = "its first line ends with a carriage return: save it with Unix line endings"
_SHELL = re.compile(r"(?:ba|da|k|z)?sh")
# By interpreter, the options after which a script may follow. After -c, -m and -e comes no script.
_INTERPRETERS = {
    _SHELL: re.compile(r"-[aefuvx]+"),
    re.compile(r"python(?:3(?:\.\d+)?)?"): re.compile(r"-[bBdEiIOPsSuvx]+"),
    re.compile(r"perl"): re.compile(r"-[tTuwW]+"),
    re.compile(r"ruby|node|php"): re.compile(r"(?!)"),
}
Argv = tuple[str, ...]
Missing = Callable[[Sequence[str]], Sequence[str]]


def unfit_scripts(recipe: Recipe, missing: Missing, *, needed: bool = False) -> tuple[str, ...]:
    """Return a message for each script in a recipe's commands that cannot be executed: its path, why, and what to do.

    A script is a program named with a slash, or a file that is passed to an interpreter. `missing` is a function that
    returns those of the given program names that are not in PATH. `needed` is True if the recipe is deployed only
    because another recipe needs it: then its test commands are not run, and not checked.
    """
    commands = tuple(_deploy_commands(recipe)) if needed else (*_deploy_commands(recipe), *_test_commands(recipe))
    unfit = (*_unfit_programs(recipe.folder, commands, missing), *_unfit_arguments(recipe.folder, commands))
    return tuple(f"{path}: {why}" for path, why in dict(unfit).items())


def script_given(argv: Argv) -> str:
    """Return the script that the command `argv` passes to an interpreter: "a.py" for ("python3", "-u", "a.py").

    Return "" if the command passes no script to an interpreter that is known here.
    """
    name = Path(argv[0]).name
    options = next((options for known, options in _INTERPRETERS.items() if known.fullmatch(name)), None)
    if options is None:
        return ""
    script = next((word for word in argv[1:] if not options.fullmatch(word)), "")
    return "" if script.startswith("-") else script


def _unfit_programs(folder: Path, commands: Sequence[Argv], missing: Missing) -> Iterator[tuple[Path, str]]:
    """Yield each script that is itself the program of a command and cannot be executed, with the reason.

    `folder` is the recipe's fleet folder. `missing` is a function that returns those of the given program names that
    are not in PATH.
    """
    for name in dict.fromkeys(argv[0] for argv in commands if "/" in argv[0]):
        if why := _unfit(folder / name, missing):
            yield folder / name, why


def _unfit_arguments(folder: Path, commands: Sequence[Argv]) -> Iterator[tuple[Path, str]]:
    """Yield each script that a command passes to an interpreter, if that cannot execute the script; add the reason.

    `folder` is the recipe's fleet folder.
    """
    for argv in commands:
        name = script_given(argv)
        path = folder / name
        if name and not path.is_file():
            yield path, _NO_FILE
        elif name and _SHELL.fullmatch(Path(argv[0]).name) and first_line(path).endswith(b"\r"):
            yield path, _CARRIAGE_RETURN


def _deploy_commands(recipe: Recipe) -> Iterator[Argv]:
    """Yield the recipe's commands that run at every deployment, also if another recipe needs it."""
    yield from recipe.install.secrets.values()
    yield from recipe.install.steps
    yield from filter(None, (recipe.ready.run,))


def _test_commands(recipe: Recipe) -> Iterator[Argv]:
    """Yield the recipe's commands that run only in a trial of the recipe itself."""
    data, backup = recipe.data, recipe.backup
    yield from filter(None, (data.mark, data.check, backup.take, backup.restore))
    yield from recipe.custom.run


def _unfit(path: Path, missing: Missing) -> str:
    """Return why the script `path` cannot be executed; "" if it can. Raise OSError if its first line cannot be read.

    `missing` is a function that returns those of the given program names that are not in PATH.
    """
    if not path.is_file():
        return _NO_FILE
    if not os.access(path, os.X_OK):
        return "it has no x bit: chmod +x, and commit that"
    return unfit_first_line(first_line(path), missing)


def first_line(path: Path) -> bytes:
    """Return the first line of a file, without its newline. Of a longer line, return the first 256 bytes."""
    with path.open("rb") as file:
        return file.read(_FIRST_LINE_BYTES).split(b"\n", 1)[0]


def unfit_first_line(line: bytes, missing: Missing) -> str:
    """Return why a file with the first line `line` cannot be executed; "" if it can, or if the line has no `#!`.

    `missing` is a function that returns those of the given program names that are not in PATH.
    """
    if line.startswith(_BYTE_ORDER_MARK + b"#!"):
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
    name = next((word for word in words if not word.startswith("-") and "=" not in word), "")
    return f"its interpreter {name} is not on this host: install it" if name and missing([name]) else ""
