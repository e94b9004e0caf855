"""An app that is killed without grace, and the exit codes of an app that is stopped."""

from pathlib import Path

from tests.procfile_apps import OPTIONS, PYTHON, app_in_slot, checkout, process_driver, settled, wait_for_line

# Answers on its port, and notes that it was asked to stop.
_NOTES_ITS_END = """\
import os, signal, socket, sys
def stop(*_):
    open(os.environ["DATA_DIR"] + "/stopped", "w").close()
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    listener.accept()[0].close()
"""
_FORKS = "import os, time; os.fork(); print(1, file=open(os.environ['DATA_DIR'] + '/up', 'w')); time.sleep(1000)"


def release_in(folder: Path) -> Path:
    """Write the release, whose lines end with 7 and by the signal."""
    checkout(folder, web=f"exec {PYTHON} ends.py", worker=f"exec {PYTHON} forks.py")
    (folder / "ends.py").write_text(_NOTES_ITS_END)
    (folder / "forks.py").write_text(_FORKS)
    return folder


def test_a_killed_app_is_not_asked_to_stop_and_nothing_of_it_runs_but_its_data_stays(tmp_path: Path) -> None:
    with process_driver(tmp_path / "slot") as driver:
        app = app_in_slot(tmp_path / "slot")
        release = release_in(tmp_path / "release")
        driver.deploy(app, release, OPTIONS)
        settled(driver, app)
        wait_for_line(app.data / "up")
        driver.kill(app)
        assert driver.leftovers(tmp_path) == ()
        assert sorted(path.name for path in app.data.iterdir()) == ["up"]
        driver.deploy(app, release, OPTIONS)
        settled(driver, app)


def test_a_stop_tells_the_exit_code_of_each_line_and_the_time_that_it_may_take(tmp_path: Path) -> None:
    with process_driver(tmp_path / "slot") as driver:
        app = app_in_slot(tmp_path / "slot")
        driver.deploy(app, release_in(tmp_path / "release"), OPTIONS)
        settled(driver, app)
        wait_for_line(app.data / "up")
        stopped = driver.stop(app)
        assert stopped.exit_codes == {"web": 7, "worker": -15}
        assert stopped.grace == app.grace
