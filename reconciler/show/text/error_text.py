"""Errors as text for stderr."""

from collections.abc import Sequence

from desired.declarations.problems import Problem
from reconciler.show.escape import escape
from reconciler.show.labels import count_of
from reconciler.show.text.screen import Screen, Style, paint


def render_problems(problems: Sequence[Problem], screen: Screen) -> str:
    """Return one line for each problem as "FILE:LINE:COLUMN: message", and a last line with their number."""
    lines = [escape(str(problem)) for problem in problems]
    files = len({problem.file for problem in problems})
    total = f"{count_of(len(problems), 'problem')} in {count_of(files, 'file')}; nothing was done"
    return "\n".join([*lines, paint(total, Style.BAD, screen)]) + "\n"


def render_error(message: str, hint: str, screen: Screen) -> str:
    """Return the error on one line, and the hint, if there is one, on the next."""
    lines = [f"{paint('reconcile:', Style.BAD, screen)} {escape(message)}"]
    return "\n".join([*lines, *([f"  {escape(hint)}"] if hint else [])]) + "\n"
