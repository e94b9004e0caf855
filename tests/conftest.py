"""What holds for every test: how hypothesis draws, that CI skips nothing, and what runs one after another."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A busy machine is no finding: no deadlines, and slow drawing is no failure.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", CALM, max_examples=100)
settings.register_profile("ci", CALM, max_examples=200, derandomize=True, database=None)
settings.register_profile("deep", CALM, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


# Tests that share one thing of the host, the engine of the swarm or systemd, and so run one after another. The passes
# over real applications, which mostly wait for them, are a row of their own beside the others.
ROWS = {
    "real": ("tests/swarm/test_real_applications.py",),
    "together": ("tests/swarm/", "tests/abra/", "tests/test_timer.py"),
}


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out each test alone, but the tests of a row to one worker, and these first.

    xdist's own grouping by marks writes the group into a test's id, which pytest 9.2 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((row for row, paths in ROWS.items() if nodeid.startswith(paths)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Together:  # noqa: ANN401 - none of xdist's public types
    return _Together(config, log)


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
