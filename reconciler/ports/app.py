"""An app in its slot: where it is, how it is deployed, and its status."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import field, frozen

from desired.model import USUAL_TIMEOUT, Stop, Unobservable
from state.kept_deployment import Parts


@frozen
class App:
    """The place of one app in a slot.

    `folder` is in the folder of the slot, and no other app uses it: its `data/` and `secrets/` are saved in a snapshot,
    its `logs/`, `home/`, `tmp/` and `run/` are not. `mark` is the mark of the slot: the path of the slot as a text,
    which all processes and objects of the slot carry. `grace` is how long the app may take to stop before it is killed,
    unless the release itself sets a time.
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

    `settings` override the release's `.env.sample`. `overlays` are files of the fleet that are merged over the files of
    the release. `needs_port` is True if the readiness check needs a port at which the app can be reached. `timeout` is
    the time limit of each one-off command: such a command runs once before the release starts. `sample_from` is another
    app of the same recipe, whose `.env.sample` a new app gets instead of the release's; None for the release's.
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

    `message` says how it ended, and names the part. `succeeded` is True if the part is one that runs once and did its
    work. `duration` is how long it ran. `is_host_fault` is True if this host is to blame. `stopped` is True if another
    program stopped the part; then `is_host_fault` is True as well.
    """

    message: str
    succeeded: bool = False
    duration: timedelta = timedelta(0)
    is_host_fault: bool = False
    stopped: bool = False


@frozen
class RunningApp:
    """An app that runs. `version` and `commit` are read from the running app.

    `is_up` is True if every part is up and the app itself listens at `address`, "HOST:PORT"; else `problem` is the
    reason. `url` is the URL at which tests reach the app. `failure` names a part that ended and will not start again,
    "" for none; `timed_out` is True if that part might have needed more time. `peer` is the "HOST:PORT" for other apps
    of the slot, "" if unknown. `killed` names the parts of the earlier deployment that had to be killed, with the time
    they had: "app (10 s)". `timeout` is the time that the release itself declares for becoming ready; None if it
    declares none. `settles_in` is the time after which the app counts as up if nothing changes until then; None if
    waiting alone is not enough. `up` has an identifier for each start of a part that is up: a part that was started
    again has another one. `ended` maps such identifiers to how the parts of this deployment ended that Canon did not
    stop.
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


@frozen
class DeployedParts:
    """The parts of a slot that are deployed now, found by the slot's mark.

    `parts` maps the name of each part to facts about it. If a part is replaced or changed, its facts differ. `problem`
    is why some part of the slot is not up, "" if all are up.
    """

    parts: Parts
    problem: str = ""


@frozen
class NotRunning:
    """An app that does not run; some parts may still run. `reason` is how the app ended, "" if it never started."""

    reason: str = ""


AppStatus = RunningApp | NotRunning | Unobservable


@frozen
class RemovalResult:
    """What happened when an app was stopped or removed.

    `ended` names the processes that the app had left running. `remaining` names what could not be removed. `killed`
    names the parts that did not stop in time, with that time: "worker (10 s)"; the last data that they wrote may be
    incomplete. `without_data` names the parts that were killed in the same way, but keep no data. `exit_codes` maps
    the parts that ended while they were stopped to their exit codes, as far as they are known; a negative one is the
    number of a signal. `grace` is the longest time that a part had to stop, None if nothing was stopped.
    """

    ended: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    without_data: tuple[str, ...] = ()
    exit_codes: Mapping[str, int] = field(factory=dict, eq=False)
    grace: timedelta | None = field(default=None, eq=False)


@frozen
class Unready:
    """An app that did not become ready. `timed_out` is True if it might have become ready with more time."""

    reason: str
    timed_out: bool = False
