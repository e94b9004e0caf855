"""An app that was deployed and stopped, and what to compare of its files."""

import os
import subprocess
import sys
from pathlib import Path

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App, DeployOptions
from tests.procfile_apps import COMMIT, checkout

ROOT = Path(__file__).parents[2]


# Root may read and delete whatever it likes; without these two it is held by modes as everybody is.
HELD_BY_MODES = (
    ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)


def deployed_and_stopped(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    driver.deploy(app, checkout(tmp_path / "one"), DeployOptions("1.0.0", COMMIT, {"TITLE": "mine"}))
    driver.stop(app)


BY_MODES = """
import sys
from pathlib import Path
from reconciler.errors import CanonError
from reconciler.host.processes.process_driver import ProcessDriver
from state.state_errors import StateError
from state.snapshots.snapshots import SealedSnapshots
from tests.procfile_apps import ENVIRONMENT, app_in_slot
act, slot, saved = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
driver = ProcessDriver(ENVIRONMENT)
try:
    if act == "remove":
        print(driver.remove(app_in_slot(slot)))
    else:
        driver.save(app_in_slot(slot), saved)
        print(SealedSnapshots().seal(saved, saved.with_name("sealed"), {}))
except (CanonError, StateError) as error:
    print(type(error).__name__, error.message)
"""


def held_by_modes(act: str, app: App, saved: Path) -> str:
    command = [*HELD_BY_MODES, sys.executable, "-c", BY_MODES, act, str(app.folder.parent), str(saved)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ran.stdout.strip()
