"""One run through the tiers of a trial: its slots, and what its tiers have done and seen."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import define, field, frozen

from desired.model import TierName
from reconciler.core.tier_results import Candidate, Skip
from reconciler.deploy.app_health import check_stable, check_up
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.deploy.slot_lifetime import CleanupResult, clean_up_after, close_slot, open_slot
from reconciler.errors import RecipeError
from reconciler.ports.host import Host
from reconciler.trial.peak import PeakMeter
from reconciler.trial.trial_request import TrialRequest
from state.records import Seal
from state.state_errors import UnfitDataError


@frozen
class Skipped:
    """The result of a tier that did not run, or that ran without proving anything.

    * `skip`: the kind of reason.
    * `reason`: the reason in one sentence.
    """

    skip: Skip
    reason: str


@define
class TrialEffects:
    """What the tiers of one run did and saw, besides their results.

    * `findings`: remarks for the report.
    * `altered`: tracked files of the tested releases that their apps changed.
    * `slots_were_empty`: True if every slot was empty when it was opened.
    * `damage`: how the canonical's snapshot is damaged; "" if it is not.
    * `check_proves_data`: True if the recipe's command data.check failed on the fresh install before data.mark ran, so
      that a later success proves that data was kept.
    * `check_is_late`: True if data.check took too long on a fresh install, so that it is not known whether a later
      success proves anything.
    * `check_failed_after`: the longest time in seconds that data.check took to fail on a fresh install.
    * `check_passed_after`: the longest time in seconds that data.check took to pass.
    * `candidate`: the sealed snapshot that may become the canonical; None until it was saved.
    * `tail`: the last log lines of the app that failed; () if no app failed.
    * `timed_out`: True if a tier failed because something took too long. Then a second run decides.
    """

    findings: list[str] = field(factory=list)
    altered: list[str] = field(factory=list)
    slots_were_empty: bool = True
    damage: str = ""
    check_proves_data: bool = False
    check_is_late: bool = False
    check_failed_after: float = 0.0
    check_passed_after: float = 0.0
    candidate: Candidate | None = None
    tail: tuple[str, ...] = ()
    timed_out: bool = False


@define
class TrialRun:
    """One run through the tiers of a trial.

    * `request`: which release is tested, and how.
    * `stack`: the run's slots are removed when this stack is left.
    * `is_retry`: True if an earlier run timed out, so that this run decides.
    * `effects`: what the tiers did and saw, besides their results.
    * `current_slot`: the slot with the release under test: at first that of the install tier, later that of the upgrade
      tier. The backup and custom tiers use it. None before the install tier.
    * `is_running`: True if the apps of `current_slot` run.
    * `meter`: measures how much of the disk the trial takes.
    """

    host: Host
    request: TrialRequest
    stack: ExitStack
    is_retry: bool
    effects: TrialEffects = field(factory=TrialEffects)
    current_slot: Slot | None = None
    is_running: bool = False
    meter: PeakMeter = field(init=False)

    @meter.default
    def _meter(self) -> PeakMeter:
        return PeakMeter(self.host.disk, self.request.folder, peak=self.request.earlier_peak)

    def log_path(self, tier: TierName) -> Path:
        """Return the path of the log file of the tier `tier`."""
        return self.host.state.trial_log(self.request.recipe.name, self.request.id) / f"{tier}.log"

    def own_app(self, slot: Slot) -> DeployedApp:
        """Return the app of the recipe under test, as it is deployed in `slot`."""
        return slot.apps[self.request.recipe.name]

    def enter_slot(self, tier: TierName) -> Slot:
        """Open a slot for a tier, and return it. The slot stays open until the end of the run."""
        return self.stack.enter_context(self.open_slot(tier))

    @contextmanager
    def open_slot(self, tier: TierName) -> Iterator[Slot]:
        """Open a slot for a tier, yield it, and remove it at the end of the `with` block.

        Remarks on the slot, and tracked files that its apps changed, are added to the effects of the run.
        """
        with open_slot(self.host, self.request.folder, tier, self.log_path(tier)) as slot:
            self.effects.slots_were_empty = self.effects.slots_were_empty and slot.was_empty
            with clean_up_after(lambda: self._close(tier, slot)):
                yield slot

    def _close(self, tier: TierName, slot: Slot) -> None:
        """Remove the slot of a tier. Add remarks, and tracked files that apps changed, to the effects of the run."""
        self.meter.measure()
        if tier is TierName.INSTALL:
            self._report_unused_makers(slot)
        self._add_cleanup(close_slot(slot))

    def _report_unused_makers(self, slot: Slot) -> None:
        """Add a remark for each declared secret that the release does not read: its name may be wrong."""
        recipe, version = self.request.recipe.name, self.request.release.version
        for name in slot.unused_makers.get(recipe, ()):
            self.effects.findings.append(f"[install] secrets declares {name}, a secret that {version} does not ask for")

    def _add_cleanup(self, cleanup: CleanupResult) -> None:
        """Add the changed files and the remarks of a removed slot to the effects of the run. `cleanup` has both.

        If the base changed a file, only add a remark, because the release under test is not to blame.
        """
        tested = {(spec.recipe.name, spec.release.commit) for spec in self.request.app_set}
        for file in cleanup.altered:
            if (file.recipe, file.commit) in tested:
                self.effects.altered.append(str(file))
            else:
                self.effects.findings.append(f"the base changed its own tracked file {file}")
        # Several slots may make the same remark on one release.
        self.effects.findings = [*dict.fromkeys((*self.effects.findings, *cleanup.remarks))]

    def switch_to(self, slot: Slot) -> None:
        """Stop the apps of the current slot, and make `slot` the current one.

        The apps of `slot` run already, or the caller must deploy them next. Errors are those of `stop_current_slot`.
        """
        self.stop_current_slot()
        self.current_slot, self.is_running = slot, True

    def stop_current_slot(self) -> None:
        """Stop the apps of the current slot if they run. Do nothing if there is no current slot.

        Raise RecipeError if the recipe's own app has ended by itself, or had to be killed (KilledError, a kind of
        RecipeError). Raise InfrastructureError if that happened to a needed app, or if this host is to blame.
        """
        if self.current_slot is not None and self.is_running:
            check_up(self.current_slot)
            self.current_slot.stop()
            self.is_running = False

    def start_current_slot(self) -> Slot:
        """Deploy the apps of the current slot again if they were stopped. Return the slot."""
        assert self.current_slot is not None  # noqa: S101  a trial ends if install, its first tier, fails
        if not self.is_running:
            deploy_app_set(self.current_slot, self.request.app_set)
            self.is_running = True
        return self.current_slot

    def mark_data(self, slot: Slot) -> None:
        """Run the recipe's command data.mark against its app, if declared. Raise RecipeError if it fails."""
        if self.request.recipe.data.mark is not None:
            run_command(slot, self.own_app(slot), self.request.recipe.data.mark, "data.mark")

    def check_data(self, slot: Slot) -> None:
        """Run the recipe's command data.check against its app, if it is declared.

        Record in the effects of the run how long the command took. Raise RecipeError if it fails, TimedOutError (a kind
        of RecipeError) if it takes too long, InfrastructureError if this host is to blame.
        """
        if self.request.recipe.data.check is not None:
            started = self.host.clock.monotonic()
            run_command(slot, self.own_app(slot), self.request.recipe.data.check, "data.check")
            took = self.host.clock.monotonic() - started
            self.effects.check_passed_after = max(self.effects.check_passed_after, took)

    def lateness(self) -> str:
        """Return the end of a sentence which says that data.check took too long on a fresh install."""
        return f"did not end within {self.request.recipe.ready.within().total_seconds():g} s on a fresh install"

    def save_candidate(self, slot: Slot, lineage: tuple[str, ...]) -> None:
        """Stop the apps of a slot, and seal their data as the candidate, so that later tiers cannot change it.

        Before that, wait until the recipe's own app has been up long enough, see `check_stable`. `lineage` has the
        versions that ran on the data, the oldest first. Record the candidate in the effects of the run. Raise
        RecipeError if the app does not stay up, or if its data cannot be saved.
        """
        check_stable(slot)
        slot.stop()
        self.is_running = self.is_running and slot is not self.current_slot
        sealed = self.request.folder / "candidate"
        self.host.snapshots.delete(sealed)
        self.effects.candidate = Candidate(sealed, self._save(slot, sealed, lineage), lineage)

    def _save(self, slot: Slot, sealed: Path, lineage: tuple[str, ...]) -> Seal:
        """Save the data of a slot's apps, and seal it in the new folder `sealed`. Return the seal.

        Raise RecipeError if the data cannot be saved.
        """
        unsealed = self.request.folder / "saving"
        with clean_up_after(lambda: self.host.snapshots.delete(unsealed)):
            about = {
                "recipe": self.request.recipe.name,
                "version": self.request.release.version,
                "commit": self.request.release.commit,
                "trial": self.request.id,
                "lineage": list(lineage),
                "apps": slot.save(unsealed),
            }
            try:
                seal = self.host.snapshots.seal(unsealed, sealed, about)
            except UnfitDataError as unfit:
                raise RecipeError(f"its data cannot be saved: {unfit.message}", unfit.hint) from unfit
            # Now the data is there three times: in the slot, as it was saved, and sealed.
            self.meter.measure()
        return seal
