"""Prints errors to stderr and, with `-o json`, as one JSON object to stdout. Chooses the exit code."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import click

from desired.declarations.problems import DeclarationError
from reconciler.cli.options import terminal_width
from reconciler.cli.standard_streams import FAILED, print_answer, print_error
from reconciler.core.exit_codes import NEEDS_PERSON, SIGNALLED
from reconciler.errors import (
    BusyError,
    CanonError,
    InterruptedPassError,
    NeedsPersonError,
    NoFleetError,
    UsageError,
    message_and_hint,
)
from reconciler.show.documents.command_documents import error_document
from reconciler.show.documents.pass_events import failed_line
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.error_text import render_error, render_next_commands, render_problems
from reconciler.show.text.screen import Screen, screen_for
from state.state_errors import ForeignFolderError, LockHeldError, NoRecordsError, OtherFleetError, StateError

USAGE: Final = 64
BUSY: Final = 75
DECLARATIONS: Final = 78
_OUTPUT_OPTION: Final = re.compile(r"(?:-[qv]*o|--output(?:=|$))(.*)", re.DOTALL)


def report_usage_error(wrong: click.UsageError, arguments: Sequence[str]) -> int:
    """Print an error that click found in the command line `arguments`. Return its exit code, 64."""
    path = wrong.ctx.command_path if wrong.ctx is not None else "reconcile"
    return _report_one(wrong.format_message(), f"see: {path} --help", USAGE, arguments)


def report_error(failed: BaseException, arguments: Sequence[str]) -> int:
    """Print the error `failed`, with its hint, to stderr. With -o json, print it as JSON to stdout too.

    Return the exit code. An error that Canon does not expect is printed as a bug, with its traceback. `arguments` is
    the command line.
    """
    if isinstance(failed, DeclarationError):
        text = render_problems(failed.problems, _stderr_screen(arguments))
        errors = [(each.file, each.line, each.column, each.message, each.hint) for each in failed.problems]
        return _report(text, error_document(errors, DECLARATIONS), DECLARATIONS, arguments)
    if isinstance(failed, NoFleetError):
        text = render_next_commands(failed.message, failed.commands, _stderr_screen(arguments))
        document = error_document([(failed.folder, 1, 1, failed.message, failed.hint)], DECLARATIONS)
        return _report(text, document, DECLARATIONS, arguments)
    if isinstance(failed, InterruptedPassError):
        return _report_one(failed.message, "", SIGNALLED + failed.signal_number, arguments)
    if isinstance(failed, CanonError | StateError | OSError):
        return _report_one(*message_and_hint(failed), _exit_code(failed), arguments)
    print_error("".join(traceback.format_exception(failed)))
    return _report_one(f"a bug in Canon: {failed!r}", "please report it with the lines above", FAILED, arguments)


def _exit_code(failed: CanonError | StateError | OSError) -> int:
    """Return the exit code of an error that Canon expects."""
    match failed:
        case BusyError() | LockHeldError():
            return BUSY
        case UsageError():
            return USAGE
        case ForeignFolderError() | NoRecordsError() | OtherFleetError():
            return DECLARATIONS
        case NeedsPersonError():
            return NEEDS_PERSON
        case _:
            return FAILED


def _report_one(message: str, hint: str, exit_code: int, arguments: Sequence[str]) -> int:
    """Print one error: as text to stderr and, if the command line asks for JSON, as JSON to stdout. Return `exit_code`.

    * `message`: what failed.
    * `hint`: what to do about the error; "" for nothing.
    * `exit_code`: the exit code that belongs to the error.
    * `arguments`: the command line.
    """
    text = render_error(message, hint, _stderr_screen(arguments))
    return _report(text, error_document([("", None, None, message, hint)], exit_code), exit_code, arguments)


def _report(text: str, document: Json, exit_code: int, arguments: Sequence[str]) -> int:
    """Print `text` to stderr and, if the command line asks for JSON, `document` to stdout. Return the exit code.

    With --events, `document` is printed as one line, the last line of --events. `exit_code` is the code of the error;
    `print_answer` may replace it if stdout cannot be written. `arguments` is the command line.
    """
    print_error(text)
    if "--events" in arguments:
        return print_answer(failed_line(document, datetime.now(UTC)), exit_code)
    return print_answer(json_text(document), exit_code) if wants_json(arguments) else exit_code


def _stderr_screen(arguments: Sequence[str]) -> Screen:
    """Return a Screen with the width of the terminal on stderr, and with whether text on stderr has colours.

    --no-color is looked for in the text of `arguments`, because click may have found an error before it read the
    options.
    """
    return screen_for(terminal_width(sys.stderr), os.environ, no_color="--no-color" in arguments)


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether the last output option in the command line `arguments` is `-o json`.

    The arguments are searched as text, because click may have found an error before it read the options.
    """
    pairs = pairwise([*arguments, ""])
    formats = [match[1] or following for option, following in pairs if (match := _OUTPUT_OPTION.fullmatch(option))]
    return formats[-1:] == ["json"]
