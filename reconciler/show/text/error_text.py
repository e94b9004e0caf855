"""Turns errors into text for stderr."""

from collections.abc import Sequence

from desired.declarations.problems import Problem
from reconciler.show.escape import escape
from reconciler.show.quantities import count_of
from reconciler.show.text.screen import Screen, Style, paint


def render_problems(problems: Sequence[Problem], screen: Screen) -> str:
    """Return a line "FILE:LINE:COLUMN: message" for each problem in declarations, and a last line with their number."""
    lines = [escape(str(problem)) for problem in problems]
    files = len({problem.file for problem in problems})
    total = f"{count_of(len(problems), 'problem')} in {count_of(files, 'file')}; nothing was done"
    return "\n".join([*lines, paint(total, Style.BAD, screen)]) + "\n"


def render_error(message: str, hint: str, screen: Screen) -> str:
    """Return an error as text: a line with the message, and a second line with the hint unless that is ""."""
    lines = [f"{paint('reconcile:', Style.BAD, screen)} {escape(message)}"]
    return "\n".join([*lines, *([f"  {escape(hint)}"] if hint else [])]) + "\n"


def render_next_commands(message: str, commands: Sequence[tuple[str, str]], screen: Screen) -> str:
    """Return an error as text: a line with the message, and a line for each command that may come next.

    `commands` has pairs: a command, and what it does.
    """
    longest = max((len(command) for command, _ in commands), default=0)
    lines = (f"  {escape(command):{longest}}   {escape(does)}\n" for command, does in commands)
    return render_error(message, "", screen) + "".join(lines)
