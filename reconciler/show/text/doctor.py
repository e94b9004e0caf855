"""The text of `reconcile doctor`: one line for each check, with what to do if it failed."""

from collections.abc import Sequence
from typing import Final

from reconciler.core.host_checks import CheckResult, HostCheck
from reconciler.show.text.screen import Cell, Screen, Style, align, paint

_STYLES: Final = {
    CheckResult.OK: Style.GOOD,
    CheckResult.WARNING: Style.WARN,
    CheckResult.FAILED: Style.BAD,
    CheckResult.NOT_CHECKED: Style.FAINT,
}


def render_checks(checks: Sequence[HostCheck], screen: Screen) -> str:
    """Return the text of `reconcile doctor`: a table with a line for each check, and how many had each result."""
    rows = [[Cell(check.name), Cell(check.result, _STYLES[check.result]), Cell(_text(check))] for check in checks]
    results = [check.result for check in checks]
    counts = ", ".join(f"{results.count(result)} {result}" for result in CheckResult)
    table = align(["CHECK", "RESULT", "FOUND"], rows, screen)
    return "\n".join([*table, "", paint(counts, Style.STRONG, screen)]) + "\n"


def _text(check: HostCheck) -> str:
    return f"{check.found}; {check.hint}" if check.hint else check.found
