"""The options that every command takes, before or after its name."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

from reconciler.cli.standard_streams import print_answer
from reconciler.errors import InfrastructureError, UsageError, message_and_hint

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.show.text.screen import Screen

Command = TypeVar("Command", bound=Callable[..., Any])


USUAL_WAYS = "back,stop"
"""What --ways means without a list: the ways that cost little."""


class Options(NamedTuple):
    """The options that every command takes. An option that is not given is None, False or ().

    This is no attrs class and has no Path, because `--help` loads this module and should be quick.
    """

    fleet: str | None = None
    state: str | None = None
    recipes: tuple[str, ...] = ()
    output: str | None = None
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False

    def over(self, earlier: "Options") -> "Options":
        """Return these options, but with the value in `earlier` for each option that was not given."""
        return earlier._replace(**{name: value for name, value in self._asdict().items() if value})

    @property
    def json(self) -> bool:
        return self.output == "json"

    @property
    def fleet_folder(self) -> "Path":
        """Return the fleet folder: the first value of --fleet, RECONCILE_FLEET, CONFIGURATION_DIRECTORY that is given.

        If none is given, return /etc/reconcile. Raise UsageError if the first that is given is an empty variable.
        """
        return _folder(self.fleet, os.environ, "RECONCILE_FLEET", "CONFIGURATION_DIRECTORY", "/etc/reconcile")

    @property
    def state_folder(self) -> "Path":
        """Return the state folder: the first value of --state, RECONCILE_STATE, STATE_DIRECTORY that is given.

        If none is given, return /var/lib/reconcile. Raise UsageError if the first that is given is an empty variable.
        """
        return _folder(self.state, os.environ, "RECONCILE_STATE", "STATE_DIRECTORY", "/var/lib/reconcile")


def _folder(flag: str | None, environ: Mapping[str, str], own_name: str, systemd_name: str, default: str) -> "Path":
    """Return a folder: the first that is given of an option, a variable of Canon and a variable of systemd.

    * `flag`: the value of the option; None if it is not given.
    * `own_name`, `systemd_name`: the names of the two variables in `environ`.
    * `default`: the folder to return if none of the three is given.

    If systemd's variable lists several folders, the first of them counts. Raise UsageError if the variable that counts
    is empty.
    """
    from pathlib import Path

    if flag is not None:
        return Path(flag)
    name = next((name for name in (own_name, systemd_name) if name in environ), None)
    if name is None:
        return Path(default)
    folder = environ[name].split(":")[0] if name == systemd_name else environ[name]
    if not folder.strip():
        raise UsageError(f"{name} is set and empty", "let it name a folder, or unset it")
    return Path(folder)


class _NonEmptyText(click.ParamType[str]):
    """A kind of option value that refuses "". An empty value mostly comes from a shell variable that is not set."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("is empty; is a variable not set?", param, ctx)
        return value


NONEMPTY = _NonEmptyText()


def examples(*commands: str) -> str:
    r"""Return the text at the end of a command's help. It has `commands`: command lines, as a user may type them.

    The text begins with `\b`, which keeps click from joining the lines.
    """
    title = "Example:" if len(commands) == 1 else "Examples:"
    return "\n  ".join(["\b\n" + title, *commands])


# Made once for all commands: making them for each command would slow down `--help`.
_COMMON_OPTIONS = (
    click.Option(["--fleet"], type=NONEMPTY, metavar="DIR", help="Folder with the declarations."),
    click.Option(["--state"], type=NONEMPTY, metavar="DIR", help="Folder with the records and snapshots."),
    click.Option(
        ["-r", "--recipe", "recipes"],
        type=NONEMPTY,
        multiple=True,
        metavar="NAME",
        help="Only this recipe; may be repeated.",
    ),
    click.Option(["-o", "--output"], type=click.Choice(["text", "wide", "json"]), help="Format of the answer."),
    click.Option(["--no-color"], is_flag=True, help="No colour, even on a terminal."),
    click.Option(["-q", "--quiet"], is_flag=True, help="Show no progress."),
    click.Option(["-v", "--verbose"], is_flag=True, help="Show more progress."),
)


def common_options(function: Command) -> Command:
    """Add the common options to the command `function`, which gets them as its first argument, an Options."""

    @click.pass_context
    def with_options(context: click.Context, /, **values: Any) -> Any:  # noqa: ANN401  as the commands return
        options = Options(**{name: values.pop(name) for name in Options._fields})
        before_command = context.parent.obj if context.parent is not None else None
        context.obj = options.over(before_command) if isinstance(before_command, Options) else options
        _require_one_choice(context.obj.recipes, values.get("name"))
        try:
            return context.invoke(function, context.obj, **values)
        except OSError as failed:  # click would exit silently on a broken pipe
            raise InfrastructureError(*message_and_hint(failed)) from failed

    with_options.__name__, with_options.__doc__ = function.__name__, function.__doc__
    with_options.__click_params__ = list(reversed(_COMMON_OPTIONS))  # type: ignore[attr-defined]  # read by click
    return with_options  # type: ignore[return-value]  # click's decorators hide what they wrap


def _require_one_choice(recipes: tuple[str, ...], name: str | None) -> None:
    """Raise UsageError if --recipe names other `recipes` than the argument NAME of the command, which has `name`."""
    if name is not None and set(recipes) - {name}:
        others = " ".join(f"--recipe {each}" for each in recipes)
        raise UsageError(f"{others} beside {name}: name the recipes in one way", "--recipe, or the argument NAME")


def metrics_option(function: Command) -> Command:
    """Add the option --metrics to a command that makes a report."""
    help_text = "Also write metrics for node_exporter's textfile collector; the name ends in .prom."
    return click.option("--metrics", type=NONEMPTY, metavar="FILE", help=help_text)(function)


def events_option(function: Command) -> Command:
    """Add the option --events to a command that runs a pass."""
    help_text = "Print what the pass does, as lines of JSON while it runs; the last line is its report."
    return click.option("--events", "in_lines", is_flag=True, help=help_text)(function)


def ways_option(function: Command) -> Command:
    """Add the option --ways to a command that can try ways. The option without a list stands for `USUAL_WAYS`."""
    help_text = f"Also try these ways (--ways=LIST) once for each release; without a list: {USUAL_WAYS}."
    return click.option("--ways", is_flag=False, flag_value=USUAL_WAYS, metavar="", help=help_text)(function)


def stdout_width() -> int | None:
    """Return the width of the terminal on stdout in columns; None if stdout is no terminal."""
    return terminal_width(sys.stdout)


def stdout_screen(options: Options) -> "Screen":
    """Return a Screen with the width of the terminal on stdout, and with whether text on stdout has colours."""
    from reconciler.show.text.screen import screen_for

    return screen_for(stdout_width(), os.environ, no_color=options.no_color)


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal on `stream` in columns; None if `stream` is no terminal, or is closed."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    return None


def print_line(options: Options, command: str, line: str, exit_code: int = 0) -> int:
    """Print `line` or, with `-o json`, a JSON object with `line`, the name of the command and `exit_code`.

    Return `exit_code`. If stdout cannot be written, print the reason to stderr, and return 1 in place of a code from 0
    to 4; other codes are returned unchanged.
    """
    from reconciler.show.documents.command_documents import message_document
    from reconciler.show.documents.report_document import json_text
    from reconciler.show.escape import escape

    text = json_text(message_document(command, line, exit_code)) if options.json else escape(line) + "\n"
    return print_answer(text, exit_code)
