"""An app in its slot: where it is, how it is deployed, and its status."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import field, frozen

from desired.model import USUAL_TIMEOUT, Stop, Unobservable
from state.records import Parts


@frozen
class App:
    """One app's place in a slot. `folder` is its own, below the slot's; `mark` is on every process of the slot.

    `grace` is how long it may take to end before it is killed, where the recipe itself does not say so.

    Files: `data/` and `secrets/` are saved and loaded; `logs/`, `home/`, `tmp/`, `run/` die with the slot.
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
    """What a deployment is told: the release, and what is laid over it.

    `settings` go beyond the app's own `.env.sample`, `overlays` are files of the fleet. `needs_port` says that the app
    has to be reached at a port for its readiness to be told. What the release runs once before it starts has to end
    within `timeout`. `like` is another app of the recipe, whose sample a new one is deployed with instead of the
    release's own.
    """

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)
    overlays: tuple[Path, ...] = ()
    needs_port: bool = True
    timeout: timedelta = USUAL_TIMEOUT
    like: App | None = None


@frozen
class EndedPart:
    """How a part of an app ended by itself; `said` names the part.

    `well`: it ended as a one-shot should; `lasted`: how long it ran; `of_host`: the host is to blame; `stopped`: it was
    stopped from outside, which is of the host as well.
    """

    said: str
    well: bool = False
    lasted: timedelta = timedelta(0)
    of_host: bool = False
    stopped: bool = False


@frozen
class RunningApp:
    """An app that runs. `version` and `commit` are read from the running thing.

    `settled` means that all of it is up and that what listens at `address` is its own; `lacks` says in words what keeps
    it from that, `lost` which part ended and will not come back, `late` that this may only have had too little time.
    `peer` is where other apps of the slot reach it, "HOST:PORT" like `address`; "" where that is not known. `killed`
    names what of an earlier deployment had to be killed to give way to this one, with the time it had: "app (10 s)".
    `timeout` is how long the release itself says that it may take to be up, None where it says nothing.
    `up` names each part that is up, one that was started again by another name; `ended` those of this deployment that
    ended by themselves.
    """

    version: str
    commit: str
    settled: bool
    url: str
    address: str
    lacks: str = ""
    lost: str = ""
    late: bool = False
    peer: str = ""
    killed: tuple[str, ...] = ()
    timeout: timedelta | None = None
    up: frozenset[str] = frozenset()
    ended: Mapping[str, EndedPart] = field(factory=dict)


@frozen
class DeployedParts:
    """What of a slot is there now, found by its mark alone.

    `parts` names every part of it, with facts by name that tell it from any other; `lacks` says what keeps it from
    being up, "" if nothing does.
    """

    parts: Parts
    lacks: str = ""


@frozen
class NotRunning:
    """The app does not run, though parts of it still may; `reason` says how it ended, "" if it was never started."""

    reason: str = ""


AppStatus = RunningApp | NotRunning | Unobservable


@frozen
class RemovalResult:
    """What removing took. `ended` are things which the app had left running; `left` is what would not go.

    `killed` names what did not end in the time it has to stop, with that time: "worker (10 s)". What it was writing may
    be cut off. `without_data` names what was killed likewise, and keeps no data that could be.
    """

    ended: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    without_data: tuple[str, ...] = ()


@frozen
class Unready:
    """An app that did not become ready; `timed_out` is False when it ended by itself."""

    reason: str
    timed_out: bool = False
