"""The values that cross the ports. A driver sees `App`, a checkout and files; never a plan, a registry or a label."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import field, frozen

from desired.model import USUAL_TIMEOUT, Argv, Recipe, Stop, Unobservable
from state.records import Answer, Parts


@frozen
class Question:
    """Ask upstream of `recipe`; `known` is the digest of the last complete answer, if there was one."""

    recipe: Recipe
    known: str | None


@frozen
class Unchanged:
    """Upstream answered just as it did the last time."""


Reply = Answer | Unchanged | Unobservable


@frozen
class MirrorRefs:
    """What our mirror holds: the commit of upstream's main branch and the release tags with their commits."""

    head: str
    tags: Mapping[str, str]


@frozen
class MirrorUpdate:
    """What bringing a mirror up came to.

    `useless` are tags which turned out to peel to no commit, and are not mirrored. `laid_aside` is where the copy lies
    that was found broken and was fetched anew; None where it was whole. `remarks` are on what came in.
    """

    useless: frozenset[str] = frozenset()
    laid_aside: Path | None = None
    remarks: tuple[str, ...] = ()


@frozen
class Alterations:
    """Tracked files that changed or vanished, and files that were added.

    `unfetched` says in words what a checkout never holds: submodules, and what pointers of Git LFS stand for.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfetched: tuple[str, ...] = ()


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
class SecretNeed:
    """A secret that the app reads. `length` is None where length alone cannot make it: a maker must.

    `also` are names under which an app may have it too. `asks_length` says that the release itself names the length.
    """

    name: str
    length: int | None = None
    charset: str = ""
    also: tuple[str, ...] = field(default=(), eq=False)
    asks_length: bool = field(default=False, eq=False)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


@frozen
class SecretMakers:
    """Where secrets come from: `commands` print them and run in `folder`, the recipe's tests.

    `known` is a folder of secrets that the same app has elsewhere: what is there is taken over.
    """

    commands: Mapping[str, Argv]
    folder: Path
    known: Path | None = None


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
class ProvidedSecrets:
    """What providing secrets came to: remarks, and the secrets with a maker that the release does not ask for."""

    remarks: tuple[str, ...] = ()
    not_asked_for: tuple[str, ...] = ()


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
class RecipeCommand:
    """One finite command of a recipe's tests, run in `cwd` with the allow-list and `env` as its whole environment.

    `grace` is how long what it leaves running may take to end before it is killed.
    """

    argv: Argv
    cwd: Path
    env: Mapping[str, str]
    deadline: timedelta
    log: Path
    mark: str
    grace: timedelta = timedelta(seconds=3)


@frozen
class CommandResult:
    """How a command ended. `code` is negative for a signal, and None if the command never ran or had to be stopped.

    `missing`: there is no such program. `timed_out`: the deadline stopped the command. `ended` names the processes that
    outlived the command and were stopped, `killed` those of them that ignored SIGTERM. `tail` is the end of the log.
    `out_of_memory`: the kernel killed the command because memory ran out.
    """

    code: int | None
    tail: str = ""
    timed_out: bool = False
    missing: bool = False
    ended: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    out_of_memory: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0


@frozen
class Unready:
    """An app that did not become ready; `timed_out` is False when it ended by itself."""

    reason: str
    timed_out: bool = False
