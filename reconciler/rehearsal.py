"""The tiers of a trial: what is deployed, run and proved in each, and the candidate that is saved on the way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from attrs import define, evolve, field

from desired.model import DataPolicy, TierName
from reconciler.assignment import Assignment
from reconciler.casts import SnapshotDamagedError, canonical_cast
from reconciler.core.base import Origin
from reconciler.core.tiers import Candidate, Skip
from reconciler.errors import InfrastructureError, KilledError, RecipeError, TimedOutError
from reconciler.ports import Host
from reconciler.raising import (
    Cast,
    Member,
    check_stable,
    check_up,
    passes,
    patience,
    raise_app,
    raise_cast,
    run,
    run_all,
    telling,
    until_ready,
)
from reconciler.slots import Closing, Slot, open_slot
from state.errors import UnfitDataError
from state.model import Canonical


class SkipTierError(Exception):
    """Leaves a tier; `skip` is why in one word."""

    def __init__(self, skip: Skip, reason: str) -> None:
        super().__init__(reason)
        self.skip = skip


class SlowHostError(InfrastructureError):
    """A base did not rise in time, which may well be the host's fault: worth a second try before it says anything."""

    def __init__(self, slow: TimedOutError) -> None:
        super().__init__(f"{slow.message} (host: {slow.pressure})")


@define
class Rehearsal:
    """One way through the tiers, in slots that are removed when `stack` is left.

    `again` says that this is the try that decides what only took too long. `living` is the slot whose data has lived
    the longest so far, `awake` whether it is up. `damage` says that our own snapshot would not rise, "" otherwise.
    """

    host: Host
    assignment: Assignment
    stack: ExitStack
    again: bool
    findings: list[str] = field(factory=list)
    altered: list[str] = field(factory=list)
    emptied: bool = True
    damage: str = ""
    candidate: Candidate | None = None
    living: Slot | None = None
    awake: bool = False

    def tiers(self) -> dict[TierName, Callable[[], None]]:
        """What each tier does: it returns for a pass, and raises otherwise."""
        return {
            TierName.INSTALL: self._install,
            TierName.UPGRADE: self._upgrade,
            TierName.BACKUP: self._backup,
            TierName.RESTORE: self._restore,
            TierName.CUSTOM: self._custom,
        }

    def _install(self) -> None:
        missing = self.host.commands.missing(self.assignment.recipe.requires)
        if missing:
            raise InfrastructureError(f"required and missing here: {', '.join(missing)}", "install it on this host")
        slot = self.stack.enter_context(self._slot(TierName.INSTALL))
        self._live_in(slot)
        raise_cast(slot, self.assignment.cast)
        self._mark(slot)
        self._check(slot)
        if self._keeps_fresh_data():
            self._save(slot, (self.assignment.release.version,))
        elif TierName.UPGRADE in self.assignment.tiers:
            check_up(slot)
        else:
            check_stable(slot)

    def _keeps_fresh_data(self) -> bool:
        """Whether no upgrade will leave a candidate whose data has lived."""
        recipe, base = self.assignment.recipe, self.assignment.base
        no_upgrade = base.origin is Origin.NONE or TierName.UPGRADE in recipe.tiers
        return no_upgrade or recipe.canonical.data is DataPolicy.FRESH

    def _upgrade(self) -> None:
        base = self.assignment.base
        if base.release is None:
            raise SkipTierError(Skip.NO_BASE, base.why)
        self._rest()
        slot = self.stack.enter_context(self._slot(TierName.UPGRADE))
        lineage = self._raise_base(slot)
        for member in self.assignment.cast:
            if member.recipe == self.assignment.recipe or slot.placed[member.recipe.name].release != member.release:
                self._deploy_over(slot, evolve(member, source=None))
        self._check(slot)
        self._live_in(slot)
        if self.assignment.recipe.canonical.data is DataPolicy.CARRIED:
            self._save(slot, self._lived(lineage))
        check_up(slot)
        if self.assignment.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "rose over the base's data, but no [data] check proves that data")

    def _lived(self, lineage: tuple[str, ...]) -> tuple[str, ...]:
        """The lineage of the base's data with the release on top; an older generation may have been at it already."""
        release = self.assignment.release
        return lineage if self.assignment.base.release == release else (*lineage, release.version)

    def _raise_base(self, slot: Slot) -> tuple[str, ...]:
        """Raise the base and prove its data; returns the lineage of that data."""
        base, canonical = self.assignment.base, self.assignment.canonical
        if base.origin is Origin.CANONICAL and canonical is not None:
            self._raise_canonical(slot, canonical)
            return canonical.lineage
        assert base.release is not None  # noqa: S101  asked before
        own = Member(self.assignment.recipe, base.release)
        try:
            raise_cast(slot, (*self.assignment.cast[:-1], own))
            self._mark(slot)
            self._check(slot)
            check_up(slot)
        except RecipeError as broken:
            if isinstance(broken, TimedOutError) and not self.again:
                raise SlowHostError(broken) from broken
            self._save_fresh_after_all(slot)
            why = f"{base.release.version} does not come up, which is no evidence against the head: {broken.message}"
            raise SkipTierError(Skip.BASE_BROKEN, why) from broken
        return (base.release.version,)

    def _deploy_over(self, slot: Slot, member: Member) -> None:
        """Deploy a member over what runs of the base. What a base that had to be killed leaves is its own fault."""
        base = self.assignment.base
        try:
            raise_app(slot, member)
        except KilledError as killed:
            if base.origin is Origin.CANONICAL or base.release is None:
                raise
            if not self.again:
                raise SlowHostError(killed) from killed
            self._save_fresh_after_all(slot)
            why = f"{base.release.version} had to be killed, which is no evidence against the head: {killed.message}"
            raise SkipTierError(Skip.BASE_BROKEN, why) from killed

    def _raise_canonical(self, slot: Slot, canonical: Canonical) -> None:
        """Raise our own snapshot; that it does not rise is damage of ours and never the recipe's fault."""
        if self.host.mirrors.resolve(canonical.recipe, canonical.commit) is None:
            self.damage = f"{canonical.version} was recorded at {canonical.commit[:7]}, which the mirror has no longer"
            raise InfrastructureError(self.damage)
        try:
            cast = canonical_cast(self.host, canonical, self.assignment.cast, slot.folder / "source")
            raise_cast(slot, cast)
            self._check(slot)
            check_up(slot)
        except TimedOutError as slow:
            raise SlowHostError(slow) from slow
        except RecipeError as broken:
            self.damage = f"the snapshot of {canonical.version} does not rise: {broken.message}"
            raise InfrastructureError(_with_tail(self.damage, broken.tail)) from broken
        except SnapshotDamagedError as broken:
            self.damage = broken.message
            raise

    def _save_fresh_after_all(self, broken: Slot) -> None:
        """With a broken base the candidate is the fresh install, up once more to be watched: the base gives way."""
        if self.candidate is None:
            broken.halt()
            self._save(self._wake(), (self.assignment.release.version,))

    def _backup(self) -> None:
        take = self.assignment.recipe.backup.take
        self._needs_a_backup()
        slot = self._wake()
        own = slot.placed[self.assignment.recipe.name]
        if take is not None:
            run(slot, own, take, "backup.take")
        else:
            with telling(slot, own):
                self.findings += own.driver.backup(own.app, slot.backup)
        check_up(slot)
        if TierName.RESTORE in self.assignment.recipe.tiers or self.assignment.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "was taken, but nothing brings it back and proves it")

    def _restore(self) -> None:
        restore = self.assignment.recipe.backup.restore
        self._needs_a_backup()
        if TierName.BACKUP in self.assignment.recipe.tiers or TierName.BACKUP not in self.assignment.tiers:
            raise SkipTierError(Skip.NO_CHECK, "no backup was taken")
        self._rest()
        with self._slot(TierName.RESTORE) as slot:
            raise_cast(slot, self._cast_like_the_living())
            own = slot.placed[self.assignment.recipe.name]
            proves = not self._passes_already(slot)
            if restore is not None:
                run(slot, own, restore, "backup.restore")
            else:
                with telling(slot, own):
                    own.driver.restore(own.app, slot.backup, patience(own))
            until_ready(slot, own)
            self._check(slot)
            check_up(slot)
        if self.assignment.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "was brought back, but no [data] check proves what")
        if not proves:
            raise SkipTierError(Skip.NO_CHECK, "proves nothing: data.check passes before anything is brought back")

    def _cast_like_the_living(self) -> Cast:
        """With the secrets and settings of the app that was backed up, which its data may want and no others.

        Backups hold neither: whoever restores one has them still.
        """
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        *needed, own = self.assignment.cast
        return (*needed, evolve(own, like=self.living.placed[own.recipe.name].app))

    def _custom(self) -> None:
        if not self.assignment.recipe.custom.run:
            raise SkipTierError(Skip.NO_CHECK, "no [custom] tests are declared")
        slot = self._wake()
        run_all(slot, slot.placed[self.assignment.recipe.name], self.assignment.recipe.custom.run, "custom test")
        check_up(slot)

    # ---- what they share ----

    def _needs_a_backup(self) -> None:
        """Leave the tier where neither the declaration nor the release itself says how to make one."""
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        own = self.living.placed[self.assignment.recipe.name]
        if self.assignment.recipe.backup.take is None and not own.driver.backs_up(own.app):
            raise SkipTierError(Skip.NO_CHECK, "no [backup] is declared")

    @contextmanager
    def _slot(self, tier: TierName) -> Iterator[Slot]:
        """A slot whose closing is kept in mind."""
        log = self.host.state.trial_log(self.assignment.recipe.name, self.assignment.id) / f"{tier}.log"
        with open_slot(self.host, self.assignment.folder, tier, log) as slot:
            self.emptied = self.emptied and slot.emptied
            try:
                yield slot
            finally:
                if tier is TierName.INSTALL:
                    self._note_makers(slot)
                self._keep_in_mind(slot.close())

    def _note_makers(self, slot: Slot) -> None:
        """A maker that is never run is likely declared for a secret of another name, or of another release."""
        recipe, version = self.assignment.recipe.name, self.assignment.release.version
        for name in slot.not_asked_for.get(recipe, ()):
            self.findings.append(f"[install] secrets declares {name}, a secret that {version} does not ask for")

    def _keep_in_mind(self, closing: Closing) -> None:
        """What a base did to its own checkout is no evidence against the release under test."""
        tested = {(member.recipe.name, member.release.commit) for member in self.assignment.cast}
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
        """Bring the living slot to rest; what ended by itself before is no rest of ours."""
        if self.living is not None and self.awake:
            check_up(self.living)
            self.living.rest()
            self.awake = False

    def _wake(self) -> Slot:
        """The living slot with everything in it up again."""
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        if not self.awake:
            raise_cast(self.living, self.assignment.cast)
            self.awake = True
        return self.living

    def _mark(self, slot: Slot) -> None:
        if self.assignment.recipe.data.mark is not None:
            run(slot, slot.placed[self.assignment.recipe.name], self.assignment.recipe.data.mark, "data.mark")

    def _check(self, slot: Slot) -> None:
        if self.assignment.recipe.data.check is not None:
            run(slot, slot.placed[self.assignment.recipe.name], self.assignment.recipe.data.check, "data.check")

    def _passes_already(self, slot: Slot) -> bool:
        """Whether the check passes on a fresh install: then it proves nothing of what is brought back into it."""
        check = self.assignment.recipe.data.check
        if check is None:
            return False
        slot.note("data.check on the fresh install, which is to fail:")
        passed = passes(slot, slot.placed[self.assignment.recipe.name], check)
        slot.note(f"data.check {'passed' if passed else 'failed'}, before anything was brought back")
        return passed

    def _save(self, slot: Slot, lineage: tuple[str, ...]) -> None:
        """Bring a slot that has proved stable to rest and seal the candidate, before later tiers touch its data."""
        check_stable(slot)
        slot.rest()
        self.awake = self.awake and slot is not self.living
        loose, sealed = self.assignment.folder / "saving", self.assignment.folder / "candidate"
        apps = slot.save(loose)
        about = {
            "recipe": self.assignment.recipe.name,
            "version": self.assignment.release.version,
            "commit": self.assignment.release.commit,
            "trial": self.assignment.id,
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


def _with_tail(message: str, tail: tuple[str, ...]) -> str:
    return f"{message}: {tail[-1]}" if tail else message
