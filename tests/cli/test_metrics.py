"""`--metrics`: the file that node_exporter's textfile collector reads."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from state.registry.registry import SqliteRegistry
from tests.cli.one_recipe_fleet import SECOND, OneRecipeFleet
from tests.reconcile_command import BIN


def test_a_pass_writes_its_metrics_in_one_step_for_everybody_to_read(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    folder = settled.folder / "textfile"
    folder.mkdir()
    (folder / "canon.prom").write_text("old\n")
    before = (folder / "canon.prom").stat().st_ino
    umask = os.umask(0o077)
    try:
        done = settled.run("-q", "--metrics", str(folder / "canon.prom"))
    finally:
        os.umask(umask)
    assert done.code == 0, done
    written = (folder / "canon.prom").stat()
    assert (stat.S_IMODE(written.st_mode), written.st_ino != before) == (0o644, True)
    assert [path.name for path in folder.iterdir()] == ["canon.prom"]

    lines = (folder / "canon.prom").read_text().splitlines()
    have = SqliteRegistry(settled.state / "canon.db").read().canonicals["jot"]
    assert f'canon_recipe_data_bytes{{fleet="tiny",command="pass",recipe="jot"}} {have.seal.bytes}' in lines
    assert 'canon_recipe_result{fleet="tiny",command="pass",recipe="jot",result="promoted"} 1' in lines
    assert any(line.startswith("canon_last_whole_pass_timestamp_seconds{") for line in lines)
    assert any(line.startswith("canon_recipe_trial_seconds{") for line in lines)


@pytest.mark.parametrize("name", ["canon.txt", "folder.prom", "missing/canon.prom"])
def test_a_file_that_would_not_be_read_is_a_usage_error_before_the_pass(settled: OneRecipeFleet, name: str) -> None:
    (settled.folder / "folder.prom").mkdir()
    done = settled.run("--metrics", str(settled.folder / name))
    assert (done.code, done.out) == (64, "")
    assert name in done.err


def test_metrics_that_cannot_be_written_make_drift_exit_with_1_after_its_report(settled: OneRecipeFleet) -> None:
    (settled.folder / "canon.prom.new").mkdir()
    done = settled.run("drift", "--metrics", str(settled.folder / "canon.prom"))
    assert done.code == 1
    assert done.out.splitlines()[-1].startswith("1 enrolled, 1 decided: 1 in sync")
    assert f"cannot write the metrics to {settled.folder}/canon.prom: Is a directory" in done.err


def test_the_exit_code_in_the_file_is_that_of_the_command_even_if_its_report_cannot_be_written(
    settled: OneRecipeFleet,
) -> None:
    metrics = settled.folder / "canon.prom"
    with Path("/dev/full").open("w") as full:
        command = [str(BIN / "reconcile"), "drift", "--metrics", str(metrics)]
        done = subprocess.run(command, env=settled.environment, stdout=full, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert 'canon_run_exit_code{fleet="tiny",command="drift"} 1' in metrics.read_text().splitlines()
