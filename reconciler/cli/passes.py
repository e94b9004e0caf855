"""A pass, a dry run, and a drift report."""

import os
from collections.abc import Sequence

from attrs import evolve

from reconciler.cli.composition import (
    CommandContext,
    make_host,
    open_house,
    prepare_state,
    private_files,
    require,
    stoppable,
    undisturbed,
    watcher,
)
from reconciler.cli.failures import SIGNALLED
from reconciler.cli.options import Options, columns
from reconciler.cli.standard_streams import answer
from reconciler.core.report import Report, ReportCommand
from reconciler.show.documents.report_document import report_document, write
from reconciler.show.text.screen import screen_for
from reconciler.show.text.table import render_report
from reconciler.stages.loop import RunRequest, reconcile
from reconciler.stages.loop import preview as look
from state.folder.lock import hold


def preview(options: Options, command: str, retry: Sequence[str]) -> int:
    """Look and plan; takes no lock and writes nothing."""
    house = open_house(options)
    asked = _asked(house, ReportCommand(command), retry)
    with stoppable(), watcher(options) as watching:
        report = look(make_host(house, watching), asked)
    return _answer(house, report)


def converge(options: Options, retry: Sequence[str]) -> int:
    """One pass under the pass lock."""
    house = open_house(options)
    asked = _asked(house, ReportCommand.PASS, retry)
    with stoppable(), private_files():
        prepare_state(house.state)
        with hold(house.state.lock, "reconcile") as lock, watcher(options) as watching:
            done = reconcile(make_host(house, watching, lock.descriptor), asked)
        report = done.report if done.signal is None else evolve(done.report, exit_code=SIGNALLED + done.signal)
        with undisturbed():
            return _answer(house, report)


def _asked(house: CommandContext, command: ReportCommand, retry: Sequence[str]) -> RunRequest:
    for name in retry:
        require(house, name)
    return RunRequest(house.fleet, house.names, command, frozenset(retry))


def _answer(house: CommandContext, report: Report) -> int:
    options = house.options
    if options.json:
        return answer(write(report_document(report)), report.exit_code)
    screen = screen_for(columns(), os.environ, no_color=options.no_color)
    wide = options.output == "wide"
    return answer(render_report(report, screen, wide=wide, state=str(house.state.root)), report.exit_code)
