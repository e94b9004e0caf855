"""Whatever becomes of the standard streams, the work is done and recorded, and the exit code says what was told."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.folders import entries_below
from tests.ledger_lines import ledger_lines
from tests.reconcile_command import BIN, ReconcileResult

UNHEARD = {"RECONCILE": str(BIN / "reconcile")}


def redirected(jot: OneRecipeFleet, words: str, streams: str) -> ReconcileResult:
    """`reconcile` as a shell starts it with these redirections; the code is its own, also before a pipe."""
    script = f'set -o pipefail; "$RECONCILE" {words} {streams}'
    done = subprocess.run(
        ["bash", "-c", script],
        env={**jot.environment, **UNHEARD},
        cwd=jot.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ReconcileResult(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("streams", "code"),
    [("2>&-", 0), ("<&- >&- 2>&-", 1), ("--events >/dev/full 2>/dev/full", 1), ("2>&1 >/dev/null | true", 0)],
    ids=["nobody to talk to", "everything closed", "everything full", "a reader that went away"],
)
def test_a_pass_promotes_even_if_its_output_cannot_be_written(settled: OneRecipeFleet, streams: str, code: int) -> None:
    settled.release(SECOND)
    said = redirected(settled, "-v", streams)
    assert said.code == code
    assert "Traceback" not in said.err
    have = settled.canonical()
    assert have is not None
    assert have.version == SECOND
    assert ledger_lines(settled.registry, kind="pass-end")[-1].entry.body["exit_code"] == 0
    settled.assert_nothing_is_left()
    settled.registry.verify()


LOOKS = ("status", "status jot -o json", "drift", "logs jot", "--dry-run -o json")


@pytest.mark.parametrize(
    ("streams", "why"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
)
def test_an_answer_that_cannot_be_written_is_no_success(settled: OneRecipeFleet, streams: str, why: str) -> None:
    for words in (*LOOKS, "--help", "--version"):
        said = redirected(settled, words, streams)
        assert said.code == 1, words
        assert said.err.splitlines()[0] == f"reconcile: the answer could not be written to stdout: {why}"
        assert "Traceback" not in said.err


def test_an_answer_to_a_closed_pipe_is_no_success(settled: OneRecipeFleet) -> None:
    for words in (*LOOKS, "--help"):
        read, write = os.pipe()
        os.close(read)
        command = [str(BIN / "reconcile"), *words.split()]
        try:
            done = subprocess.run(
                command, env=settled.environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False
            )
        finally:
            os.close(write)
        assert done.returncode == 1, words
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", ">/dev/full"])
def test_an_error_keeps_its_exit_code_even_if_it_cannot_be_printed(jot: OneRecipeFleet, streams: str) -> None:
    assert redirected(jot, "status nothing -o json", streams).code == 64
    (jot.fleet / "fleet.toml").write_text("format = 2\n")
    assert redirected(jot, "drift -o json", streams).code == 78


def test_a_red_pass_whose_report_is_lost_has_exit_code_1(settled: OneRecipeFleet) -> None:
    settled.release(SECOND, app_py="raise SystemExit(3)\n")
    assert redirected(settled, "-q", ">/dev/full").code == 1
    assert redirected(settled, "-q", ">/dev/null").code == 4


def test_a_raised_copy_that_cannot_be_announced_is_taken_down(settled: OneRecipeFleet) -> None:
    said = redirected(settled, "raise jot --for 1h", ">/dev/full")
    assert said.code == 1
    assert said.err.splitlines()[0] == "reconcile: the answer could not be written to stdout: No space left on device"
    settled.assert_nothing_is_left()


@pytest.mark.parametrize("file", ["nowhere/report.xml", "fleet/fleet.toml", "folder.xml"])
def test_a_path_at_which_no_junit_file_can_be_is_a_usage_error_before_the_trial(
    settled: OneRecipeFleet, file: str
) -> None:
    (settled.folder / "folder.xml").mkdir()
    before, tried = entries_below(settled.fleet), settled.tried()
    said = settled.run("trial", "jot", "--junit", file)
    assert (said.code, said.out) == (64, "")
    assert f"--junit {file}" in said.err.splitlines()[0]
    assert (entries_below(settled.fleet), settled.tried()) == (before, tried)


def test_a_junit_file_is_replaced_in_one_step_and_its_old_content_is_left_to_who_reads_it(
    settled: OneRecipeFleet,
) -> None:
    file = settled.folder / "report.xml"
    file.write_text("old\n")
    with file.open() as reader:
        assert settled.run("trial", "jot", "--junit", "report.xml").code == 0
        assert reader.read() == "old\n"
    assert file.read_text().startswith("<?xml")
    assert [path.name for path in settled.folder.glob("report*")] == ["report.xml"]


def test_a_junit_file_that_cannot_be_written_hides_no_answer(settled: OneRecipeFleet) -> None:
    """Its folder is there when the trial begins, and the trial removes it."""
    folder = settled.folder / "out"
    settled.custom(f"rmdir {folder}")
    for words in ((), ("-o", "json")):
        folder.mkdir()
        said = settled.run("trial", "jot", "--junit", "out/report.xml", *words)
        assert said.code == 1
        assert f"cannot write the JUnit file to {folder}/report.xml: No such file or directory" in said.err
        if words:
            assert [each["name"] for each in json.loads(said.out)["recipes"]] == ["jot"]
        else:
            assert said.out.splitlines()[-1].startswith("green")


# What a shell in a login session of an old host sets, without that its locales would have to be installed here.
ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_in_a_locale_that_is_not_utf_8_a_recipe_is_what_it_is_everywhere(jot: OneRecipeFleet) -> None:
    jot.variables = ASCII
    told = "import os\nprint('→', os.environ['TITLE'], flush=True)\n" + tiny_fleet.APP.decode()
    jot.release(FIRST, app_py=told, _env_sample="TITLE=Größe €\n")
    said = jot.run()
    assert said.code == 0, said
    assert "data lived through" in said.out
    log = next((jot.state / "logs" / "jot").glob("*Z/install.log")).read_text("utf-8")
    assert "→ Größe €" in log
    shown = jot.run("logs", "jot")
    assert (shown.code, shown.err) == (0, "")
    assert "\\u2192 Gr\\xf6\\xdfe \\u20ac" in shown.out


@pytest.mark.parametrize("mask", ["077", "000"])
def test_under_every_umask_recipes_find_the_same_one_and_the_state_stays_private(
    jot: OneRecipeFleet, mask: str
) -> None:
    jot.custom("umask; stat -c %a ../../checkouts/jot-0/app.py")
    said = jot.shell(f"umask {mask}; RECONCILE_FLEET=fleet RECONCILE_STATE=state reconcile -q")
    assert said.code == 0, said
    log = next((jot.state / "logs" / "jot").glob("*Z/install.log")).read_text("utf-8")
    assert "0022\n644\n" in log
    ours = [path for path in jot.state.rglob("*") if "mirrors" not in path.parts]
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in ours if path.stat().st_mode & 0o077} == {}
    assert Path(jot.state).stat().st_mode & 0o777 == 0o700
