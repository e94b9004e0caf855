"""Errors to one line on stderr, one JSON object where that was asked for, and an exit code."""

import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click
from attrs import frozen

from desired.problems import DeclarationError
from reconciler.errors import BusyError, CanonError, InterruptedPassError
from reconciler.show.document import error_document
from reconciler.show.escape import escape
from state.errors import LockHeldError, StateError

COULD_NOT: Final = 1
USAGE: Final = 64
BUSY: Final = 75
DECLARATIONS: Final = 78
SIGNALLED: Final = 128


@frozen
class Failure:
    """One line for a person; the place is that of a declaration, empty otherwise."""

    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


class UsageError(CanonError):
    """The command line asks for what there is not."""


def usage(wrong: click.UsageError, arguments: Sequence[str]) -> int:
    """A command line that click refused."""
    hint = f"see: {wrong.ctx.command_path} --help" if wrong.ctx is not None else "see: reconcile --help"
    return _tell([Failure(wrong.format_message(), hint)], USAGE, arguments)


def fail(failed: Exception, arguments: Sequence[str]) -> int:
    """Tell an error by its remedy; one that nobody expected is a bug and shows its trace."""
    match failed:
        case DeclarationError():
            found = [Failure(each.message, each.hint, each.file, each.line, each.column) for each in failed.problems]
            return _tell(found, DECLARATIONS, arguments)
        case BusyError() | LockHeldError():
            return _tell([Failure(failed.message, failed.hint)], BUSY, arguments)
        case InterruptedPassError():
            return _tell([Failure(failed.message)], SIGNALLED + failed.signal_number, arguments)
        case UsageError():
            return _tell([Failure(failed.message, failed.hint)], USAGE, arguments)
        case CanonError() | StateError():
            return _tell([Failure(failed.message, failed.hint)], COULD_NOT, arguments)
        case OSError():
            return _tell([Failure(str(failed))], COULD_NOT, arguments)
        case _:
            traceback.print_exception(failed)
            return _tell([Failure(f"a bug in Canon: {failed!r}", "please report it with the lines above")], 1, arguments)


def _tell(failures: Sequence[Failure], exit_code: int, arguments: Sequence[str]) -> int:
    for each in failures:
        where = f"{each.file}:{each.line}:{each.column}: " if each.file else "reconcile: "
        hint = f"; {each.hint}" if each.hint else ""
        print(f"{escape(where)}{escape(each.message)}{escape(hint)}", file=sys.stderr)
    if wants_json(arguments):
        print(error_document([(e.file, e.line, e.column, e.message, e.hint) for e in failures], exit_code))
    return exit_code


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `-o json` is asked for on a command line that may not even parse."""
    pairs = list(zip(arguments, [*arguments[1:], ""], strict=True))
    joined = any(each in {"-ojson", "--output=json"} for each in arguments)
    return joined or any(flag in {"-o", "--output"} and value == "json" for flag, value in pairs)
