"""What holds for every test: how hypothesis draws, what it needs, that CI skips nothing, what runs in a row."""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.needs import lacking, needs_of
from tests.swarm.local_engine import LocalEngine, engine_from_environment

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A busy machine is no finding: no deadlines, and slow drawing is no failure.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", CALM, max_examples=100)
settings.register_profile("ci", CALM, max_examples=100, derandomize=True, database=None)
settings.register_profile("deep", CALM, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


# Tests that share one thing of the host, the engine of the swarm or systemd, run one after another in their row. The
# rows mostly wait, and run beside each other. A test is of the first row that the start of its id fits.
ROWS = {
    "sign-on": r"tests/swarm/test_real_applications\.py::.*\[sign-on",
    "real": r"tests/swarm/test_real_applications\.py",
    "recipes": r"tests/swarm/test_real_shapes\.py|tests/abra/|tests/test_timer\.py",
    "kills": r"tests/swarm/test_kill|tests/swarm/test_kept_canonical\.py|tests/swarm/test_true_labels\.py",
    "together": r"tests/swarm/",
}


class RowScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out each test alone, but the tests of a row to one worker, and these first.

    xdist's own grouping by marks writes the group into a test's id, which pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((row for row, ids in ROWS.items() if re.match(ids, nodeid)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RowScheduling:  # noqa: ANN401 - none of xdist's public types
    return RowScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, metavar="FILE", help="write `OUTCOME ID` of every test, a line each")


def pytest_configure(config: pytest.Config) -> None:
    path: Path | None = config.getoption("--outcomes")
    # With xdist each worker reports to the first process, which alone writes.
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(OutcomeWriter(path))


class OutcomeWriter:
    """Writes how every test ended; one that was not torn down well is written twice."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8", buffering=1)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.file.write(f"{report.outcome} {report.nodeid}\n")

    def pytest_unconfigure(self) -> None:
        self.file.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that needs anything, so that `-m needs` and `-m "not needs"` part them."""
    for item in items:
        if item.get_closest_marker("needs") is None and (needs := needs_of(item)):
            item.add_marker(pytest.mark.needs(*needs))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    why = [reason for need in needs_of(item) if (reason := lacking(need))]
    if why:
        pytest.skip("; ".join(why))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """The engine of the tests. Fails the last test that had it where anything of these tests is left on it at the end.

    What bears no path of theirs, .ci/run looks for when all are done: `tests/images/engine left`.
    """
    engine = engine_from_environment()
    yield engine
    left = engine.below(tmp_path_factory.getbasetemp())
    assert not left, f"left on the engine: {sorted(left)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"nothing may be skipped in CI: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"nothing may be skipped in CI: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The words of a skip, which pytest hands over as (path, line, words)."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
