"""The reports whose tables are tested."""

from collections.abc import Callable

from reconciler.core.report import Report, ReportCommand
from reconciler.show.text.screen import Screen
from tests.reports import calm_report, pass_report, plan_report

FILE = Screen()


REPORTS: dict[str, Callable[[], Report]] = {
    "plan": plan_report,
    "drift": lambda: plan_report(ReportCommand.DRIFT),
    "pass": pass_report,
    "calm": calm_report,
}


def heading(text: str) -> list[str]:
    return text.splitlines()[0].split()


def rows(text: str) -> list[str]:
    """The first word of each of the table's rows."""
    return [line.split()[0] for line in text.split("\n\n", maxsplit=1)[0].splitlines()[1:]]
