"""Writes the man pages of `reconcile` from its commands: `make man`, or `python -m reconciler.cli.man_pages FOLDER`."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path
from typing import Final

import click

from reconciler import __version__
from reconciler.cli.main import reconcile

_KEEP_LINES: Final = "\b\n"
"""A paragraph of a help text that begins with this keeps its line breaks."""

# What has a meaning for roff, or that it would print as another character.
_ROFF: Final = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})
_MAIN: Final = "reconcile"
_ENVIRONMENT: Final = {
    "RECONCILE_FLEET, RECONCILE_STATE": "The folders of the fleet and of the state, without --fleet and --state.",
    "CONFIGURATION_DIRECTORY, STATE_DIRECTORY": "The same, as systemd sets them for a unit. Without these too, the "
    "folders are /etc/reconcile and /var/lib/reconcile.",
}


def man_pages(date: str) -> Mapping[str, str]:
    """Return the text of each man page by its file name: one for `reconcile`, and one for each command.

    `date`, such as "2026-11-24", is printed on every page.
    """
    with click.Context(reconcile, info_name=_MAIN) as context:
        pages = {f"{_MAIN}.1": "\n".join(_page(context, date)) + "\n"}
        for name, command in reconcile.commands.items():
            with click.Context(command, info_name=name, parent=context) as within:
                pages[f"{_MAIN}-{name}.1"] = "\n".join(_page(within, date)) + "\n"
    return pages


def _page(context: click.Context, date: str) -> Iterator[str]:
    """Yield the lines of the man page for the command in `context`. `date` is printed on the page."""
    command, name = context.command, context.command_path.replace(" ", "-")
    first, *more = cleandoc(command.help or "").split("\n\n")
    yield f'.TH "{_roff(name.upper())}" 1 "{date}" "Canon {__version__}" "Canon"'
    yield from (".SH NAME", f"{_roff(name)} \\- {_roff(' '.join(first.split()).rstrip('.'))}")
    yield from (".SH SYNOPSIS", f"\\fB{_roff(context.command_path)}\\fR {_roff(_usage(context))}")
    yield from (".SH DESCRIPTION", *_paragraphs([first, *more]))
    options = [each.get_help_record(context) for each in command.get_params(context) if isinstance(each, click.Option)]
    yield from _list("OPTIONS", [record for record in options if record is not None])
    if isinstance(command, click.Group):
        yield from _list("COMMANDS", [(name, each.get_short_help_str(100)) for name, each in command.commands.items()])
    for section in (command.epilog or "").split("\n\n"):
        yield from _section(section)
    yield from _list("ENVIRONMENT", list(_ENVIRONMENT.items()))
    yield from _see_also(command)


def _usage(context: click.Context) -> str:
    return " ".join(context.command.collect_usage_pieces(context))


def _paragraphs(texts: list[str]) -> Iterator[str]:
    """Yield the roff lines of a paragraph for each of `texts`.

    A text that begins with `_KEEP_LINES` keeps its line breaks. The lines of any other text are joined.
    """
    for text in texts:
        yield ".PP"
        if text.startswith(_KEEP_LINES):
            yield from _kept(text.removeprefix(_KEEP_LINES).splitlines())
        else:
            yield _roff(" ".join(text.split()))


def _section(epilog: str) -> Iterator[str]:
    """Yield the roff lines for `epilog`, a part of the text at the end of a command's help; nothing if `epilog` is "".

    The first line of `epilog` says what the part is about: examples, or exit codes. The other lines are not joined.
    """
    title, *lines = epilog.removeprefix(_KEEP_LINES).splitlines() or [""]
    if title.startswith("Example"):
        yield ".SH EXAMPLES"
    elif title:
        yield from (".SH EXIT STATUS", _roff(title))
    yield from _kept(lines)


def _kept(lines: list[str]) -> Iterator[str]:
    """Yield the roff lines of a paragraph that keeps the line breaks of `lines`; nothing if there are no lines."""
    if lines:
        yield from (".PP", ".nf", *map(_roff, lines), ".fi")


def _list(title: str, entries: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the roff lines of a section with the title `title`. `entries` are names, each with a text about it."""
    yield f".SH {title}"
    for name, text in entries:
        yield from (".TP", f"\\fB{_roff(name)}\\fR", _roff(text))


def _see_also(command: click.Command) -> Iterator[str]:
    others = reconcile.commands if command is reconcile else [None]
    names = [f"{_MAIN}-{name}" if name else _MAIN for name in others]
    yield ".SH SEE ALSO"
    yield from (f".BR {_roff(name)} (1){',' if name != names[-1] else ''}" for name in names)


def _roff(text: str) -> str:
    """Return `text` escaped for roff, in ASCII. It is then printed as it is, even if it begins with a dot."""
    escaped = text.translate(_ROFF)
    escaped = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", escaped)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def main() -> None:
    """Write all man pages into the folder that the command line names. Make the folder if it is missing.

    The pages have a date. It is the day that the variable SOURCE_DATE_EPOCH names, in seconds since 1970; today if the
    variable is not set.
    """
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    made = datetime.fromtimestamp(int(seconds), UTC) if seconds else datetime.now(UTC)
    for name, text in man_pages(f"{made:%Y-%m-%d}").items():
        (folder / name).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
