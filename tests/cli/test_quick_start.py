"""A command that starts quickly loads none of the libraries and drivers that it does not need."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.starting import make_fleet

HEAVY = {
    *("docker", "requests", "urllib3", "pycurl", "tenacity", "sh", "rich", "yaml", "tree_sitter", "jinja2"),
    *("reconciler.host", "reconciler.stages", "reconciler.trial", "reconciler.deploy", "reconciler.show.documents"),
    *("tarfile", "backports.zstd", "compression.zstd", "state.snapshots.packing", "state.snapshots.manifest"),
    "reconciler.core.plan",
}
# What a table of intact canonicals does not show: results of ways, a pass that runs; and what only rare paths use.
UNUSED_BY_STATUS = {
    *("reconciler.core.ways", "reconciler.show.text.ways", "state.running_pass", "state.pass_progress"),
    *("shutil", "tempfile", "difflib"),
}
RUN = """
import json, sys
from reconciler.cli import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded(arguments: Sequence[str]) -> set[str]:
    """Run `reconcile` in a process of its own, and return the modules that it had loaded at its end."""
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert (code, done.stderr) == (0, "")
    return set(modules)


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_a_flag_that_prints_and_stops_loads_nothing_heavy(flag: str) -> None:
    assert loaded([flag]) & {*HEAVY, "attrs", "desired", "sqlite3"} == set()


def test_the_version_is_printed_without_click() -> None:
    assert "click" not in loaded(["--version"])


def test_status_of_a_fleet_of_processes_loads_no_driver(tmp_path: Path) -> None:
    modules = loaded(["status", *make_fleet(tmp_path, 2)])
    assert "reconciler.cli.status_and_logs" in modules
    assert modules & HEAVY == set()
    assert modules & UNUSED_BY_STATUS == set()
