"""One run of a way: its slots, and the steps that all ways have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field, frozen

from desired.model import Recipe, WayName
from desired.releases import Release
from reconciler.core.tier_results import failed_late
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.ways import WayResult
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import AppSet, AppSpec
from reconciler.deploy.deploying import deploy_app, deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.deploy.slot_lifetime import open_slot
from reconciler.errors import KilledError, RecipeError, TimedOutError
from reconciler.ports.app import RunningApp
from reconciler.ports.host import Host
from reconciler.ways.older_data import OlderData


@frozen
class WaySubject:
    """The release to try, with its sealed data.

    * `recipe`, `release`: the recipe, and its release to try.
    * `base`: the older release to which a way back leads; None if there is none.
    * `tests`: the digest of everything on which the answer depends, besides the releases.
    * `folder`: the recipe's locked working folder.
    * `logs`: the folder for logs.
    * `logs_name`: the path of `logs` relative to the state folder.
    * `unpack`: a function that unpacks a copy of the sealed data into the given folder, and returns the app set in it.
    * `no_base`: why `base` is None.
    * `older`: the data of older releases, for the ways "leap" and "fall".
    """

    recipe: Recipe
    release: Release
    base: Release | None
    tests: str
    folder: Path
    logs: Path
    logs_name: str
    unpack: Callable[[Path], AppSet]
    no_base: str = "there is no older release"
    older: OlderData = field(factory=OlderData)


@frozen
class RiseAttempt:
    """What came of deploying a release over the data in a slot.

    * `comes_up`: True if the app became ready, and still runs.
    * `passes`: True if the recipe's command data.check passed.
    * `words`: what failed; "" if nothing did.
    * `timed_out`: True if something took too long, so that this host may be to blame.
    """

    comes_up: bool
    passes: bool
    words: str = ""
    timed_out: bool = False


@define
class WayRun:
    """One run of a way.

    * `subject`: the release to try, with its sealed data.
    * `number`: 1, or 2 if the way is run again because something took too long.
    * `timed_out`: True if something took too long in this run.
    * `writes`: how often the recipe's command data.mark was run.
    """

    host: Host
    subject: WaySubject
    way: WayName
    number: int = 1
    timed_out: bool = False
    writes: int = field(default=0, init=False)

    @property
    def log(self) -> Path:
        return self.subject.logs / f"way-{self.way}.log"

    @contextmanager
    def slot(self, role: str) -> Iterator[Slot]:
        """Open a slot in the subfolder `role` of the recipe's working folder, yield it, and remove it at the end."""
        with open_slot(self.host, self.subject.folder, role, self.log) as slot:
            yield slot

    def own_app(self, slot: Slot) -> DeployedApp:
        return slot.apps[self.subject.recipe.name]

    def deploy_sealed(self, slot: Slot) -> None:
        """Deploy the release under test with a copy of its sealed data. Raise RecipeError if that fails."""
        deploy_app_set(slot, self.subject.unpack(slot.folder / "source"))

    def write(self, slot: Slot) -> bool:
        """Let the running release write data by the recipe's command data.mark, and then run data.check.

        Return whether data.check can see what was written. MARK_ID is a new text for each write.

        * True: data.check failed before the write, and passed after the write.
        * False: before the write, data.check passed, took too long, or may have failed only for lack of time.
        * False: nothing was written, because data.mark is not declared, or failed.

        Raise RecipeError if data.check fails at the end.
        """
        data, own = self.subject.recipe.data, self.own_app(slot)
        if data.mark is None:
            self._run_check(slot)
            return False
        self.writes += 1
        slot.mark_id = f"way-{self.way}-{self.number}-{self.writes}"
        failed_after = self._failed_after(slot)
        try:
            run_command(slot, own, data.mark, "data.mark")
        except RecipeError as failed:
            slot.log_line(f"data.mark fails over data that has lived, so nothing new is written: {failed.message}")
            slot.mark_id, failed_after = "", None
        started = self.host.clock.monotonic()
        self._run_check(slot)
        if failed_after is None:
            return False
        is_late = failed_late(failed_after, self.host.clock.monotonic() - started)
        self.timed_out = self.timed_out or is_late
        return not is_late

    def _failed_after(self, slot: Slot) -> float | None:
        """Run the recipe's command data.check. Return after how many seconds it failed.

        Return None if data.check passed, or if it took too long.
        """
        started = self.host.clock.monotonic()
        try:
            self._run_check(slot)
        except TimedOutError:
            return None
        except RecipeError:
            return self.host.clock.monotonic() - started
        return None

    def _run_check(self, slot: Slot) -> None:
        check = self.subject.recipe.data.check
        assert check is not None  # noqa: S101  without one, no way is tried
        run_command(slot, self.own_app(slot), check, "data.check")

    def mark(self, slot: Slot) -> None:
        """Let a fresh install write data by the recipe's command data.mark, if that is declared.

        The variable MARK_ID is not set. A later data.check without MARK_ID looks for this data. Raise RecipeError if
        data.mark fails.
        """
        if self.subject.recipe.data.mark is not None:
            run_command(slot, self.own_app(slot), self.subject.recipe.data.mark, "data.mark")

    def limits(self, proves_writes: bool, version: str = "") -> str:  # noqa: FBT001  a fact of the run
        """Return what the result of this way does not prove, as one sentence; "" if `proves_writes` is True.

        * `proves_writes`: True if data.check can see the data that was written while this way was tried.
        * `version`: the release that wrote this data, named in the sentence; "" if the release under test wrote it.
        """
        if proves_writes:
            return ""
        wrote = version or self.subject.release.version
        return f"data.check cannot tell whether what {wrote} writes is there (see MARK_ID)"

    def attempt(self, slot: Slot, release: Release, *, is_up: bool = False) -> RiseAttempt:
        """Deploy a release over the data in the slot, and run the recipe's command data.check. Return what came of it.

        If `is_up` is True, the release is deployed already, and only data.check is run. If the release or data.check
        fails, raise no error: the returned value says so. Raise KilledError if the release that ran before, or a
        process that data.check left, had to be killed: a kill says nothing about the release that is tried.
        """
        try:
            if not is_up:
                deploy_app(slot, AppSpec(self.subject.recipe, release))
            self.check(slot)
        except KilledError:
            raise
        except RecipeError as failed:
            comes_up = slot.ready.get(self.subject.recipe.name) is not None and self._runs(slot)
            words = ": ".join((failed.message, *failed.tail[-1:]))
            slot.log_line(f"{release.version}: {words}")
            self.timed_out = self.timed_out or isinstance(failed, TimedOutError)
            return RiseAttempt(comes_up, passes=False, words=words, timed_out=isinstance(failed, TimedOutError))
        return RiseAttempt(comes_up=True, passes=True)

    def require_in_time(self, attempt: RiseAttempt) -> RiseAttempt:
        """Return `attempt` unchanged. If it failed because something took too long, raise TimedOutError instead.

        A failure of that kind proves nothing about the release.
        """
        if attempt.timed_out:
            raise TimedOutError(attempt.words)
        return attempt

    def check(self, slot: Slot) -> None:
        """Run the recipe's command data.check. Raise RecipeError if it fails, or if the app does not stay up."""
        self._run_check(slot)
        check_up(slot)

    def _runs(self, slot: Slot) -> bool:
        own = self.own_app(slot)
        status = own.driver.status(own.app)
        return isinstance(status, RunningApp) and not status.failure

    def result(self, answer: WayAnswer, reason: str = "", kind: WayKind | None = None) -> WayResult:
        """Return the result of this run.

        * `answer`: YES if the way is open, NO if it is closed, SKIP or ERROR if that is not known.
        * `reason`: why, in one sentence; "" for none.
        * `kind`: what closed the way; None if nothing did.
        """
        subject = self.subject
        return WayResult(
            recipe=subject.recipe.name,
            way=self.way,
            answer=answer,
            release=subject.release,
            base=subject.base if self.way is WayName.BACK else None,
            kind=kind,
            reason=reason,
            tests=subject.tests,
            log=f"{subject.logs_name}/way-{self.way}.log",
        )
