"""What the stages ask of a host, as small protocols.

The real answers are in `host/` and `state/`; the tests answer from a world in memory.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from attrs import evolve, frozen

from desired.model import Ready, Recipe, Unobservable
from reconciler.ports.types import (
    Alterations,
    App,
    AppStatus,
    CommandResult,
    DeployedParts,
    DeployOptions,
    EndedPart,
    MirrorRefs,
    MirrorUpdate,
    ProvidedSecrets,
    Question,
    RecipeCommand,
    RemovalResult,
    Reply,
    RunningApp,
    SecretMakers,
    SecretNeed,
    Unready,
)
from state.folder.folder import StateFolder
from state.records import Answer, Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Place, Records, Seal


class Clock(Protocol):
    """Time: `now` is aware and in UTC, `monotonic` counts seconds and never steps back."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class Upstream(Protocol):
    """Asks published tags, many at a time. Never raises for one recipe's failure: that is its `Unobservable`."""

    def ask(self, questions: Sequence[Question]) -> Mapping[str, Reply]: ...


class Mirrors(Protocol):
    """Our own copies of upstream repositories."""

    def look(self, name: str) -> MirrorRefs | Unobservable | None:
        """None where there is no mirror."""
        ...

    def update(self, recipe: Recipe, answer: Answer, tags: Mapping[str, str]) -> MirrorUpdate:
        """Bring main to `answer` and the release tags to `tags`, then read them back.

        Raises InfrastructureError, and then the served copy is as it was.
        """
        ...

    def checkout(self, name: str, commit: str, into: Path) -> None:
        """Write the tracked files of `commit` into the new folder `into`, without a `.git`."""
        ...

    def alterations(self, name: str, commit: str, folder: Path) -> "Alterations":
        """How `folder` differs now from what `checkout` wrote."""
        ...

    def resolve(self, name: str, ref: str) -> str | None:
        """The commit that a tag, branch or (abbreviated) commit of the mirror names; None if none."""
        ...

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        """Bring a branch or tag of upstream in beside what is served; its commit, None if upstream has no such ref.

        Raises InfrastructureError.
        """
        ...

    def recover(self) -> None:
        """Remove what killed runs left beside the mirrors; what a run that lives works with stays."""
        ...

    def drop(self, name: str) -> None: ...


class Driver(Protocol):
    """How a recipe runs: mechanism only. Secrets, probes, deadlines, tiers and snapshots are outside it.

    `programs` are the commands that it works with: of another version, they may make another verdict.
    """

    programs: tuple[str, ...]

    def needs(self, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
        """The secrets the checked-out release reads, deployed with `options` over what there is of the app.

        Raises RecipeError where it cannot be run at all.
        """
        ...

    def deploy(self, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
        """Start `checkout` in the app's place, new or over what is there; returns remarks.

        Raises KilledError where what is there had to be killed first.
        """
        ...

    def look(self, app: App) -> AppStatus: ...

    def logs(self, app: App) -> tuple[str, ...]:
        """Bring what the app wrote into its `logs`, a file for each part; returns the last lines, fit to be shown."""
        ...

    def stop(self, app: App) -> RemovalResult:
        """Bring the data to rest: nothing of the app runs afterwards. What had to be killed for that is told."""
        ...

    def save(self, app: App, into: Path) -> None:
        """Bring the resting app's data, secrets and settings into the empty folder `into`.

        What lies there may share its content with the app: it is to be used up before the app runs again.
        """
        ...

    def load(self, app: App, source: Path) -> None:
        """The reverse of `save`, into a fresh place; `source` may be used up."""
        ...

    def backs_up(self, app: App) -> bool:
        """Whether the deployed release itself says how it is backed up and brought back."""
        ...

    def backup(self, app: App, into: Path) -> tuple[str, ...]:
        """Write a backup into `into` as the release says, while the app is up; returns remarks.

        Raises RecipeError or TimedOutError.
        """
        ...

    def restore(self, app: App, source: Path, within: timedelta) -> None:
        """Bring back what `backup` wrote, over what the fresh app holds.

        What has to be started anew on the way has to be up `within` a time. Raises RecipeError or TimedOutError.
        """
        ...

    def remove(self, app: App) -> RemovalResult:
        """Stop the app and delete all of it, its folder included."""
        ...

    def leftovers(self, root: Path) -> tuple[str, ...]:
        """Marks of everything on this host whose slot lies below `root`, whether or not its folder is still there."""
        ...

    def deployed_parts(self, root: Path) -> Mapping[str, DeployedParts]:
        """What stands of every slot below `root`, by mark, in one look. Raises InfrastructureError."""
        ...

    def clear(self, mark: str) -> RemovalResult:
        """End everything that bears `mark`."""
        ...

    def app_run(self, app: App) -> Path:
        """The program that runs its arguments inside the deployed app."""
        ...


class Secrets(Protocol):
    """Makes what an app's secrets folder lacks; what is there already is kept."""

    def provide(self, app: App, needs: Sequence[SecretNeed], makers: SecretMakers, log: Path) -> ProvidedSecrets:
        """`log` learns that makers ran, never what they print.

        Raises RecipeError naming every secret that cannot be made or whose maker failed,
        InfrastructureError for a maker whose program is missing.
        """
        ...


class Commands(Protocol):
    def run(self, command: RecipeCommand) -> CommandResult: ...

    def missing(self, tools: Sequence[str]) -> tuple[str, ...]:
        """Those of `tools` that children would not find."""
        ...

    def pressure(self) -> str:
        """The host's load, stall, memory and disk in one line."""
        ...


class Readiness(Protocol):
    """Whether apps become ready, and stay up."""

    def wait(self, ready: Ready, look: Callable[[], AppStatus], command: RecipeCommand) -> RunningApp | Unready:
        """Wait until the app's own listener answers as declared; `command` carries what `ready.run` runs in."""
        ...

    def watch(self, look: Callable[[], AppStatus], ready: RunningApp, seconds: float) -> EndedPart | None:
        """Look at an app for `seconds`, at least once; what of it ended since it was seen `ready`, None for nothing."""
        ...


class Registry(Protocol):
    """The registry and the ledger: one file, one transaction a call. Every call opens it anew."""

    def read(self) -> Records: ...

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Every canonical that the recipe had since it was last forgotten, the present one first."""
        ...

    def verify(self) -> None:
        """Follow the ledger's whole chain; raises RegistryError where a line is not as it was written."""
        ...

    def settle(self) -> None:
        """Flush what a dead process may have written last, before anything is believed."""
        ...

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record that a promotion begins."""
        ...

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """The one transaction of a promotion: the record, the end of its intent, the ledger."""
        ...

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """End an intent without a promotion."""
        ...

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None: ...

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Drop the canonical and the memory of a recipe; the ledger keeps that they were."""
        ...

    def append(self, entries: Sequence[LedgerEntry]) -> None: ...


class Snapshots(Protocol):
    """Sealed folders: snapshot.tar and manifest.json."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack `source` into the new folder `into`, flush, and verify what was written; `about` is kept with it."""
        ...

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename a sealed folder durably; returns the seal as the files look now."""
        ...

    def glance(self, folder: Path, seal: Seal) -> Damaged | None:
        """Trust files that look as they did when sealed, hash them otherwise."""
        ...

    def renew(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash files that look other than when sealed: how they look now; None where none does, or all is not well."""
        ...

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash everything, then unpack into the new folder `into`; returns the manifest's `about`."""
        ...

    def delete(self, folder: Path) -> None: ...

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete a snapshot's own files, and its folder where nothing else lies in it; another snapshot's stay."""
        ...


class Progress(Protocol):
    """What is going on, for whoever watches."""

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None: ...

    def done(self, recipe: str, said: str) -> None: ...


@frozen
class Host:
    """All ports, and the facts of this run that are fixed before it starts. `canon` and `fleet` are revisions."""

    clock: Clock
    upstream: Upstream
    mirrors: Mirrors
    drivers: Mapping[str, Driver]
    secrets: Secrets
    commands: Commands
    readiness: Readiness
    registry: Registry
    snapshots: Snapshots
    progress: Progress
    place: Place
    canon: str
    fleet: str
    state: StateFolder
    pass_id: str

    def concerning(self, drivers: Collection[str]) -> "Host":
        """The same host with these drivers alone: what another one cannot do now hinders nobody else."""
        return evolve(self, drivers={name: driver for name, driver in self.drivers.items() if name in drivers})
