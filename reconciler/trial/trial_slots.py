"""The slots of one trial: opened, brought to rest and up again, and the candidate that is saved from one of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import define, field

from desired.model import TierName
from reconciler.core.tier_results import Candidate
from reconciler.deploy.app_health import check_stable, check_up
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import command_passes, run_command
from reconciler.deploy.slot import Slot
from reconciler.deploy.slot_lifetime import CleanupResult, clean_up_after, close_slot, open_slot
from reconciler.errors import RecipeError
from reconciler.ports.host import Host
from reconciler.trial.trial_request import TrialRequest
from state.state_errors import UnfitDataError


@define
class TrialSlots:
    """What the tiers of one trial share; the slots are removed when `stack` is left.

    `again` says that this is the try that decides what only took too long. `living` is the slot whose data has lived
    the longest so far, `awake` whether it is up. `check_proves` says that data.check failed on the fresh install
    before data.mark ran: only then does a pass of it prove that data is kept. `damage` says that our own snapshot
    would not rise, "" otherwise.
    """

    host: Host
    request: TrialRequest
    stack: ExitStack
    again: bool
    findings: list[str] = field(factory=list)
    altered: list[str] = field(factory=list)
    emptied: bool = True
    damage: str = ""
    check_proves: bool = False
    candidate: Candidate | None = None
    living: Slot | None = None
    awake: bool = False

    @contextmanager
    def _slot(self, tier: TierName) -> Iterator[Slot]:
        """A slot whose closing is kept in mind."""
        log = self.host.state.trial_log(self.request.recipe.name, self.request.id) / f"{tier}.log"
        with open_slot(self.host, self.request.folder, tier, log) as slot:
            self.emptied = self.emptied and slot.was_empty
            with clean_up_after(lambda: self._close(tier, slot)):
                yield slot

    def _close(self, tier: TierName, slot: Slot) -> None:
        if tier is TierName.INSTALL:
            self._note_makers(slot)
        self._keep_in_mind(close_slot(slot))

    def _note_makers(self, slot: Slot) -> None:
        """A maker that is never run is likely declared for a secret of another name, or of another release."""
        recipe, version = self.request.recipe.name, self.request.release.version
        for name in slot.unused_makers.get(recipe, ()):
            self.findings.append(f"[install] secrets declares {name}, a secret that {version} does not ask for")

    def _keep_in_mind(self, closing: CleanupResult) -> None:
        """What a base did to its own checkout is no evidence against the release under test."""
        tested = {(member.recipe.name, member.release.commit) for member in self.request.app_set}
        for each in closing.altered:
            if (each.recipe, each.commit) in tested:
                self.altered.append(str(each))
            else:
                self.findings.append(f"the base changed its own tracked file {each}")
        # What is true of a release is remarked wherever it is deployed.
        self.findings = [*dict.fromkeys((*self.findings, *closing.remarks))]

    def _live_in(self, slot: Slot) -> None:
        """From here on, `slot` is where the release under test lives; the one before comes to rest."""
        self._rest()
        self.living, self.awake = slot, True

    def _rest(self) -> None:
        """Stop the living slot. Raises if something had already ended by itself."""
        if self.living is not None and self.awake:
            check_up(self.living)
            self.living.stop()
            self.awake = False

    def _wake(self) -> Slot:
        """The living slot with everything in it up again."""
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        if not self.awake:
            deploy_app_set(self.living, self.request.app_set)
            self.awake = True
        return self.living

    def _mark(self, slot: Slot) -> None:
        if self.request.recipe.data.mark is not None:
            run_command(slot, slot.apps[self.request.recipe.name], self.request.recipe.data.mark, "data.mark")

    def _check(self, slot: Slot) -> None:
        if self.request.recipe.data.check is not None:
            run_command(slot, slot.apps[self.request.recipe.name], self.request.recipe.data.check, "data.check")

    def _check_proves(self, slot: Slot) -> bool:
        """Whether data.check can prove data: there is a data.mark, and the fresh install does not pass before it."""
        data = self.request.recipe.data
        return data.check is not None and data.mark is not None and not self._passes_already(slot)

    def _passes_already(self, slot: Slot) -> bool:
        """Whether the check passes on a fresh install: then it proves nothing of data that is kept or brought back."""
        check = self.request.recipe.data.check
        if check is None:
            return False
        slot.log_line("data.check on the fresh install, which is to fail:")
        passed = command_passes(slot, slot.apps[self.request.recipe.name], check, "data.check")
        slot.log_line(f"data.check {'passed' if passed else 'failed'}, before anything was marked or brought back")
        return passed

    def _save(self, slot: Slot, lineage: tuple[str, ...]) -> None:
        """Bring a slot that has proved stable to rest and seal the candidate, before later tiers touch its data."""
        check_stable(slot)
        slot.stop()
        self.awake = self.awake and slot is not self.living
        loose, sealed = self.request.folder / "saving", self.request.folder / "candidate"
        apps = slot.save(loose)
        about = {
            "recipe": self.request.recipe.name,
            "version": self.request.release.version,
            "commit": self.request.release.commit,
            "trial": self.request.id,
            "lineage": list(lineage),
            "apps": apps,
        }
        self.host.snapshots.delete(sealed)
        try:
            seal = self.host.snapshots.seal(loose, sealed, about)
        except UnfitDataError as unfit:
            raise RecipeError(f"its data cannot be kept: {unfit.message}", unfit.hint) from unfit
        self.host.snapshots.delete(loose)
        self.candidate = Candidate(sealed, seal, lineage)
