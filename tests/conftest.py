"""Settings of all tests: hypothesis profiles, needs, no skips in CI, and which tests run one after another."""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.needs import needs_of, unmet_reason
from tests.swarm.local_engine import LocalEngine, engine_from_environment

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A busy machine must not fail a test: no deadlines, and no check of slow drawing.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", CALM, max_examples=100)
settings.register_profile("ci", CALM, max_examples=100, derandomize=True, database=None)
settings.register_profile("deep", CALM, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


# Tests that share the swarm engine or systemd run one after another, in rows; so do those of the page, which share a
# world and a browser. Rows mostly wait, and run beside each other. A test belongs to the first row whose pattern
# matches the start of its id.
ROWS = {
    "sign-on": r"tests/swarm/test_real_applications\.py::.*\[sign-on",
    "real": r"tests/swarm/test_real_applications\.py",
    "recipes": r"tests/swarm/test_real_shapes\.py|tests/abra/|tests/test_timer\.py",
    "page": r"tests/browser/|tests/show/test_page\.py",
    "kills": r"tests/swarm/test_kill|tests/swarm/test_kept_canonical\.py|tests/swarm/test_true_labels\.py",
    "together": r"tests/swarm/",
}


class RowScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives all tests of a row to one worker, first; every other test is given out alone.

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
    """Writes the outcome of every test, a line each. A test whose teardown failed has two lines."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8", buffering=1)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.file.write(f"{report.outcome} {report.nodeid}\n")

    def pytest_unconfigure(self) -> None:
        self.file.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that has needs, so that `-m needs` and `-m "not needs"` select."""
    for item in items:
        if item.get_closest_marker("needs") is None and (needs := needs_of(item)):
            item.add_marker(pytest.mark.needs(*needs))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    why = [reason for need in needs_of(item) if (reason := unmet_reason(need))]
    if why:
        pytest.skip("; ".join(why))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """The tests' Docker engine. Fails the last test that used it if objects of these tests are left on it.

    Objects without a path of these tests are found by .ci/run at the end: `tests/images/engine left`.
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
    """Return the reason of a skip, which pytest gives as (path, line, reason)."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
