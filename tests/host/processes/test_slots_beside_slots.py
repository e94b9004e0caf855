import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions, NotRunning, RemovalResult, RunningApp
from tests.host.processes.process_apps import get
from tests.procfile_apps import (
    COMMIT,
    ENVIRONMENT,
    OPTIONS,
    app_in_slot,
    checkout,
    daemon,
    is_running,
    process_driver,
    settled,
    wait_for_line,
)

ROOT = Path(__file__).parents[2]


def test_a_new_release_takes_the_place_of_the_old_and_finds_its_data(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="echo of one >$DATA_DIR/x; exec sleep 1000"), OPTIONS)
    before = settled(driver, app)
    wait_for_line(app.data / "x")
    driver.deploy(app, checkout(tmp_path / "two"), DeployOptions("2.0.0", "d" * 40))
    after = settled(driver, app)
    assert (before.version, after.version, after.commit) == ("1.0.0+1", "2.0.0", "d" * 40)
    assert (app.data / "x").read_text() == "of one\n"
    assert len(driver.leftovers(app.folder.parent)) == 1


def test_processes_that_a_release_left_running_are_reported_after_the_next_deployment(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker=daemon("exec sleep 1000")), OPTIONS)
    pid = int(wait_for_line(app.data / "daemon"))
    driver.deploy(app, checkout(tmp_path / "two"), OPTIONS)
    assert not is_running(pid)
    assert driver.stop(app).ended == (f"sleep (pid {pid})",)


def test_stopping_one_app_of_a_slot_leaves_the_other_alone(driver: ProcessDriver, slot: Path, tmp_path: Path) -> None:
    notes, needed = app_in_slot(slot), app_in_slot(slot, "needed")
    for app in (notes, needed):
        driver.deploy(app, checkout(tmp_path / app.recipe), DeployOptions("1.0.0", COMMIT))
    seen = settled(driver, needed)
    settled(driver, notes)
    driver.remove(notes)
    assert driver.status(notes) == NotRunning("")
    assert driver.status(needed) == seen
    assert not notes.folder.exists()
    driver.clear(str(slot))
    assert isinstance(driver.status(needed), NotRunning)
    assert driver.leftovers(slot.parent) == ()


def test_clearing_a_slot_leaves_another_slot_alone(slot: Path, tmp_path: Path) -> None:
    other = slot.with_name("slot-2")
    with process_driver(slot, other) as driver:
        for each in (slot, other):
            driver.deploy(app_in_slot(each), checkout(tmp_path / each.name), OPTIONS)
            settled(driver, app_in_slot(each))
        assert driver.leftovers(slot.parent) == (str(slot), str(other))
        driver.clear(str(slot))
        assert isinstance(driver.status(app_in_slot(slot)), NotRunning)
        settled(driver, app_in_slot(other))


def test_slots_that_come_and_go_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    slots = [tmp_path / "work" / f"slot-{number}" for number in range(4)]
    with process_driver(*slots) as driver:
        results: dict[Path, tuple[RunningApp, bytes, RemovalResult]] = {}

        def live(slot: Path) -> None:
            for turn in range(2):
                folder = tmp_path / f"{slot.name}-{turn}"
                driver.deploy(
                    app_in_slot(slot),
                    checkout(folder, worker=daemon("exec sleep 1000")),
                    DeployOptions(slot.name, COMMIT),
                )
                seen = settled(driver, app_in_slot(slot))
                wait_for_line(app_in_slot(slot).data / "daemon")
                results[slot] = (seen, get(seen, "/env"), driver.stop(app_in_slot(slot)))

        threads = [threading.Thread(target=live, args=(slot,)) for slot in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(results) == set(slots)
        for slot, (seen, environment, removal) in results.items():
            pid = (app_in_slot(slot).data / "daemon").read_text().strip()
            assert (seen.version, json.loads(environment)["CANON_SLOT"]) == (slot.name, str(slot))
            assert f"sleep (pid {pid})" in removal.ended
            assert not is_running(int(pid))
        assert driver.leftovers(tmp_path) == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.procfile_apps import ENVIRONMENT, OPTIONS, app_in_slot, settled, wait_for_line
from reconciler.host.processes.process_driver import ProcessDriver
slot, checkout = map(Path, sys.argv[1:])
driver = ProcessDriver(ENVIRONMENT)
driver.deploy(app_in_slot(slot), checkout, OPTIONS)
settled(driver, app_in_slot(slot))
wait_for_line(app_in_slot(slot).data / "daemon")
print("deployed", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("folder_is_gone", [False, True])
def test_processes_that_a_killed_pass_left_running_are_found_and_stopped_by_the_next_pass(
    driver: ProcessDriver, app: App, slot: Path, tmp_path: Path, *, folder_is_gone: bool
) -> None:
    release = checkout(tmp_path / "one", worker=daemon("exec sleep 1000"))
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(slot), str(release)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "deployed\n"
        killed.kill()
    pid = int((app.data / "daemon").read_text())
    assert isinstance(driver.status(app), RunningApp)
    assert is_running(pid)
    if folder_is_gone:
        slot.rename(tmp_path / "elsewhere")
    assert driver.leftovers(slot.parent) == (str(slot),)
    assert f"sleep (pid {pid})" in driver.clear(str(slot)).ended
    assert driver.leftovers(slot.parent) == ()
    assert not is_running(pid)
    assert driver.status(app) == NotRunning("")


# ---- another state folder of the same path ----


def test_a_driver_of_another_state_folder_with_the_same_path_leaves_an_app_alone(
    slot: Path, app: App, tmp_path: Path
) -> None:
    one, two = (ProcessDriver({**ENVIRONMENT, "CANON_STATE": name * 32}, grace=2.0) for name in "ab")
    try:
        one.deploy(app, checkout(tmp_path / "one"), OPTIONS)
        seen = settled(one, app)
        assert (two.leftovers(slot.parent), two.status(app), two.stop(app)) == ((), NotRunning(""), RemovalResult())
        assert two.clear(str(slot)) == RemovalResult()
        assert one.status(app) == seen
        assert one.leftovers(slot.parent) == (str(slot),)
    finally:
        one.clear(str(slot))
    assert one.status(app) == NotRunning("")


def test_an_app_from_before_there_were_ids_is_known_by_its_path(
    driver: ProcessDriver, slot: Path, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), OPTIONS)
    settled(driver, app)
    later = ProcessDriver({**ENVIRONMENT, "CANON_STATE": "a" * 32}, grace=2.0)
    assert later.leftovers(slot.parent) == (str(slot),)
    assert later.clear(str(slot)) == RemovalResult()
    assert later.status(app) == NotRunning("")
