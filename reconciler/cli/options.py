"""The options that every command takes, before its verb or after it."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

from reconciler.cli.standard_streams import print_answer
from reconciler.errors import InfrastructureError, message_and_hint

if TYPE_CHECKING:
    from pathlib import Path

Command = TypeVar("Command", bound=Callable[..., Any])


class Options(NamedTuple):
    """What was asked for on the command line; None and empty mean not said.

    No attrs class, and folders as texts: this is loaded for `--help`, which is to be there at once.
    """

    fleet: str | None = None
    state: str | None = None
    recipes: tuple[str, ...] = ()
    output: str | None = None
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False

    def over(self, earlier: "Options") -> "Options":
        """These options, and where one is not said, the earlier ones."""
        return earlier._replace(**{name: value for name, value in self._asdict().items() if value})

    @property
    def json(self) -> bool:
        return self.output == "json"

    @property
    def fleet_folder(self) -> "Path":
        """Flag, RECONCILE_FLEET, systemd's CONFIGURATION_DIRECTORY, /etc/reconcile."""
        return _folder(self.fleet, os.environ, "RECONCILE_FLEET", "CONFIGURATION_DIRECTORY", "/etc/reconcile")

    @property
    def state_folder(self) -> "Path":
        """Flag, RECONCILE_STATE, systemd's STATE_DIRECTORY, /var/lib/reconcile."""
        return _folder(self.state, os.environ, "RECONCILE_STATE", "STATE_DIRECTORY", "/var/lib/reconcile")


def _folder(said: str | None, environ: Mapping[str, str], ours: str, systemds: str, default: str) -> "Path":
    """The first that is set; where systemd joins several directories by a colon, the first is the main one.

    Raises UsageError for a variable that is set to nothing: what was meant is not the default.
    """
    from pathlib import Path

    if said is not None:
        return Path(said)
    name = next((name for name in (ours, systemds) if name in environ), None)
    if name is None:
        return Path(default)
    folder = environ[name].split(":")[0] if name == systemds else environ[name]
    if not folder.strip():
        from reconciler.cli.failures import UsageError

        raise UsageError(f"{name} is set and empty", "let it name a folder, or unset it")
    return Path(folder)


class _NonEmptyText(click.ParamType[str]):
    """A text that says something: an empty one comes from a variable that is not set."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("is empty; is a variable not set?", param, ctx)
        return value


NONEMPTY = _NonEmptyText()


# Made once for all commands: a hundred of them would be felt in `--help`.
_COMMON_OPTIONS = (
    click.Option(["--fleet"], type=NONEMPTY, metavar="DIR", help="Folder of declarations."),
    click.Option(["--state"], type=NONEMPTY, metavar="DIR", help="Folder of what is recorded."),
    click.Option(
        ["-r", "--recipe", "recipes"],
        type=NONEMPTY,
        multiple=True,
        metavar="NAME",
        help="Only this recipe; repeatable.",
    ),
    click.Option(["-o", "--output"], type=click.Choice(["text", "wide", "json"]), help="Form of the answer."),
    click.Option(["--no-color"], is_flag=True, help="No colour, also on a terminal."),
    click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing while it runs."),
    click.Option(["-v", "--verbose"], is_flag=True, help="Say more while it runs."),
)


def common_options(function: Command) -> Command:
    """Give a command the options that all have, collected into its first argument `options`."""

    @click.pass_context
    def collected(context: click.Context, /, **given: Any) -> Any:  # noqa: ANN401  what the commands themselves say
        names = ("fleet", "state", "recipes", "output", "no_color", "quiet", "verbose")
        said = Options(**{name: given.pop(name) for name in names})
        parent = context.parent.obj if context.parent is not None else None
        context.obj = said.over(parent) if isinstance(parent, Options) else said
        try:
            return context.invoke(function, context.obj, **given)
        except OSError as failed:  # click would end without a word where its number is that of a broken pipe
            raise InfrastructureError(*message_and_hint(failed)) from failed

    collected.__name__, collected.__doc__ = function.__name__, function.__doc__
    collected.__click_params__ = list(reversed(_COMMON_OPTIONS))  # type: ignore[attr-defined]  # where click's own options go
    return collected  # type: ignore[return-value]  # click's decorators hide what they wrap


def stdout_width() -> int | None:
    """Width of the terminal that stdout is; None where it is none."""
    return terminal_width(sys.stdout)


def terminal_width(stream: TextIO) -> int | None:
    """Width of the terminal that `stream` is; None where it is none, or is gone."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    return None


def print_line(options: Options, command: str, line: str) -> int:
    """Answer with one line, or one object that holds it."""
    from reconciler.show.documents.command_documents import message_document
    from reconciler.show.documents.report_document import json_text
    from reconciler.show.escape import escape

    return print_answer(json_text(message_document(command, line)) if options.json else escape(line) + "\n", 0)
