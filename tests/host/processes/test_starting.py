"""Exit codes of supervisors that end."""

import subprocess

from reconciler.host.processes.starting import awaited_exit_code


def test_the_exit_code_of_a_process_that_is_about_to_end_is_waited_for() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 0.2; exit 3"]) as ending:
        assert awaited_exit_code(ending) == 3


def test_a_process_that_goes_on_has_no_exit_code() -> None:
    with subprocess.Popen(["sleep", "60"]) as running:
        assert awaited_exit_code(running) is None
        running.kill()
