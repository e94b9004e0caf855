"""One app of a slot: its folder, what is deployed as it, and its status."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import define, field, frozen

from desired.model import USUAL_TIMEOUT, Stop
from desired.releases import Unobservable
from state.kept_deployment import Parts


@frozen
class App:
    """One app in a slot, with the folder that belongs to it alone.

    * `recipe`: the name of the app's recipe.
    * `folder`: the app's folder, inside the folder of the slot. A snapshot saves the subfolders `data/` and `secrets/`,
      but not `logs/`, `home/`, `tmp/` and `run/`.
    * `mark`: the mark of the slot: its path as a text, which all processes and objects of the slot carry.
    * `grace`: how long the app may take to stop before it is killed, unless the release itself sets a time.
    """

    recipe: str
    folder: Path
    mark: str
    grace: timedelta = Stop().grace

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"


@frozen
class DeployOptions:
    """The release to deploy, and its settings and files.

    * `version`, `commit`: the release.
    * `settings`: variables that override the release's `.env.sample`.
    * `overlays`: files of the fleet that are merged over the files of the release.
    * `needs_port`: True if the readiness check needs a port at which the app can be reached.
    * `timeout`: the time limit of each command that the release runs once, before it starts.
    * `sample_from`: another app of the same recipe, whose `.env.sample` is used instead of the release's; None for the
      release's own.
    """

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)
    overlays: tuple[Path, ...] = ()
    needs_port: bool = True
    timeout: timedelta = USUAL_TIMEOUT
    sample_from: App | None = None


@frozen
class EndedPart:
    """How a part of an app, such as a service, ended without being stopped by Canon.

    * `message`: a sentence on how the part ended, with its name.
    * `succeeded`: True if the part is meant to run once, and did its work.
    * `duration`: how long the part ran.
    * `is_host_fault`: True if this host is to blame.
    * `stopped`: True if another program stopped the part; then `is_host_fault` is True as well.
    """

    message: str
    succeeded: bool = False
    duration: timedelta = timedelta(0)
    is_host_fault: bool = False
    stopped: bool = False


@frozen
class RunningApp:
    """The status of an app that runs.

    * `version`, `commit`: the release, as read from the running app.
    * `is_up`: True if every part is up and the app listens at `address`.
    * `url`: where tests reach the app.
    * `address`: the host and port in `url`, as "HOST:PORT".
    * `problem`: why `is_up` is False; "" if it is True.
    * `failure`: which part ended and will not start again; "" for none.
    * `timed_out`: True if the part in `failure` might have come up with more time.
    * `peer`: where other apps of the slot reach this app, as "HOST:PORT"; "" if unknown.
    * `killed`: parts of the earlier deployment that had to be killed, each with the time it had to stop: "app (10 s)".
    * `timeout`: how long the release itself says that it takes to become ready; None if it says nothing.
    * `settles_in`: after what time the app counts as up, if nothing changes until then; None if waiting is not enough.
    * `up`: the identifiers of the parts that are up. A part gets a new identifier each time it starts.
    * `ended`: how parts of this deployment ended that Canon did not stop, by the identifier that each part had.
    * `unready_at`: when the app was last found not ready while it was waited for, in seconds of the monotonic clock.
      None if it was ready at once, or if nobody waited for it.
    """

    version: str
    commit: str
    is_up: bool
    url: str
    address: str
    problem: str = ""
    failure: str = ""
    timed_out: bool = False
    peer: str = ""
    killed: tuple[str, ...] = ()
    timeout: timedelta | None = None
    settles_in: timedelta | None = field(default=None, eq=False)
    up: frozenset[str] = frozenset()
    ended: Mapping[str, EndedPart] = field(factory=dict)
    unready_at: float | None = field(default=None, eq=False)


@frozen
class DeployedParts:
    """The parts of a slot that are deployed now, found by the slot's mark.

    * `parts`: for each part, by its name, facts such as its image. If a part is replaced, its facts change.
    * `problem`: why some part is not up; "" if all are up.
    """

    parts: Parts
    problem: str = ""


@frozen
class NotRunning:
    """The status of an app that does not run, although some of its parts may still run.

    `reason` is how the app ended; "" if it never started.
    """

    reason: str = ""


AppStatus = RunningApp | NotRunning | Unobservable


@frozen
class RemovalResult:
    """What happened when an app was stopped or removed.

    * `ended`: the names of processes that the app had left running, and that were ended.
    * `remaining`: the names of what could not be stopped or removed.
    * `killed`: parts with data that were killed because they did not stop in time, each with the time it had: "worker
      (10 s)". Their last data may be incomplete.
    * `without_data`: parts that were killed for the same reason, but have no data.
    * `exit_codes`: the exit code of each part that ended as it was stopped, by the part's name, as far as known. A
      negative code is the number of the signal that ended the part.
    * `grace`: the longest time that a part had to stop; None if nothing was stopped.
    """

    ended: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    without_data: tuple[str, ...] = ()
    exit_codes: Mapping[str, int] = field(factory=dict, eq=False)
    grace: timedelta | None = field(default=None, eq=False)


@frozen
class Unready:
    """What `Readiness.wait` returns for an app that did not become ready.

    * `reason`: why it did not.
    * `timed_out`: True if the app might have become ready with more time.
    """

    reason: str
    timed_out: bool = False


@define
class StartTimes:
    """What was seen of the start of an app. Times are in seconds of the monotonic clock.

    * `began`: when the app's first process was seen; None if no process was seen.
    * `killed`: when the app's processes were killed; None if they were not.
    """

    began: float | None = None
    killed: float | None = None
