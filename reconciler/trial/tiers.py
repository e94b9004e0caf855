"""The tiers of a trial: what is deployed, run and proved in each."""

from collections.abc import Callable

from attrs import define, evolve

from desired.model import DataPolicy, TierName
from reconciler.core.base import Origin
from reconciler.core.tier_results import Skip
from reconciler.deploy.app_health import check_stable, check_up, ready_timeout, wait_until_ready, with_app_logs
from reconciler.deploy.app_set import AppSet, AppSpec, SnapshotDamagedError, canonical_app_set
from reconciler.deploy.deploying import deploy_app, deploy_app_set, deploy_needed
from reconciler.deploy.recipe_commands import run_command, run_commands
from reconciler.deploy.slot import Slot
from reconciler.errors import InfrastructureError, KilledError, NeededAppError, RecipeError, TimedOutError
from reconciler.trial.scripts import unfit_scripts
from reconciler.trial.trial_slots import TrialSlots
from state.records import Canonical

_CHANGED_TESTS = (
    "its tests, its declaration or what it needs changed since it was promoted, so this is not taken for damage: "
    "let them hold for the data that it has, or declare its upgrade tier out"
)


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
class TierRunner(TrialSlots):
    """One way through the tiers of a trial."""

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
        missing = self.host.commands.missing(self.request.recipe.requires)
        if missing:
            raise InfrastructureError(f"required and missing here: {', '.join(missing)}", "install it on this host")
        self._look_at_scripts()
        slot = self.stack.enter_context(self._slot(TierName.INSTALL))
        self._live_in(slot)
        deploy_app_set(slot, self.request.app_set)
        self.check_proves = self._check_proves(slot)
        self._mark(slot)
        self._check(slot)
        if self._keeps_fresh_data():
            self._save(slot, (self.request.release.version,))
        elif TierName.UPGRADE in self.request.tiers:
            check_up(slot)
        else:
            check_stable(slot)

    def _look_at_scripts(self) -> None:
        """Raise InfrastructureError for scripts that cannot be executed: the fleet's fault, whatever the release is."""
        unfit = [
            said
            for member in self.request.app_set
            for said in unfit_scripts(
                member.recipe, self.host.commands.missing, needed=member.recipe != self.request.recipe
            )
        ]
        if unfit:
            raise InfrastructureError(f"the fleet's own scripts cannot be run: {'; '.join(unfit)}")

    def _keeps_fresh_data(self) -> bool:
        """Whether no upgrade will leave a candidate whose data has lived."""
        recipe, base = self.request.recipe, self.request.base
        no_upgrade = base.origin is Origin.NONE or TierName.UPGRADE in recipe.tiers
        return no_upgrade or recipe.canonical.data is DataPolicy.FRESH

    def _upgrade(self) -> None:
        base = self.request.base
        if base.release is None:
            raise SkipTierError(Skip.NO_BASE, base.why)
        self._rest()
        slot = self.stack.enter_context(self._slot(TierName.UPGRADE))
        lineage = self._raise_base(slot)
        *needed, own = self.request.app_set
        for member in needed:
            if slot.apps[member.recipe.name].release != member.release:
                deploy_needed(slot, evolve(member, source=None), own.recipe)
        self._deploy_over(slot, evolve(own, source=None))
        self._check(slot)
        self._live_in(slot)
        if self.request.recipe.canonical.data is DataPolicy.CARRIED:
            self._save(slot, self._lived(lineage))
        check_up(slot)
        if self.request.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "rose over the base's data, but no [data] check proves that data")
        if not self.check_proves:
            why = "rose over the base's data, which data.check does not prove: it passes on a fresh install too"
            raise SkipTierError(Skip.NO_CHECK, why)

    def _lived(self, lineage: tuple[str, ...]) -> tuple[str, ...]:
        """The lineage of the base's data with the release on top; an older generation may have been at it already."""
        release = self.request.release
        return lineage if self.request.base.release == release else (*lineage, release.version)

    def _raise_base(self, slot: Slot) -> tuple[str, ...]:
        """Raise the base and prove its data; returns the lineage of that data."""
        base, canonical = self.request.base, self.request.canonical
        if base.origin is Origin.CANONICAL and canonical is not None:
            self._raise_canonical(slot, canonical)
            return canonical.lineage
        assert base.release is not None  # noqa: S101  asked before
        own = AppSpec(self.request.recipe, base.release)
        try:
            deploy_app_set(slot, (*self.request.app_set[:-1], own))
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

    def _deploy_over(self, slot: Slot, member: AppSpec) -> None:
        """Deploy the release under test over what runs of the base.

        Another release that had to be killed for it is never held against the one under test: an older release is then
        no base, and for the canonical's, InfrastructureError is raised.
        """
        base = self.request.base
        try:
            deploy_app(slot, member)
        except KilledError as killed:
            if base.release is None or base.release == member.release:
                raise
            if not self.again:
                raise SlowHostError(killed) from killed
            if base.origin is Origin.CANONICAL:
                raise InfrastructureError(f"the canonical {base.release.version}: {killed.message}") from killed
            self._save_fresh_after_all(slot)
            why = f"{base.release.version} had to be killed, which is no evidence against the head: {killed.message}"
            raise SkipTierError(Skip.BASE_BROKEN, why) from killed

    def _raise_canonical(self, slot: Slot, canonical: Canonical) -> None:
        """Raise our own snapshot; that it does not rise is damage of ours and never the recipe's fault."""
        if self.host.mirrors.resolve(canonical.recipe, canonical.commit) is None:
            self.damage = f"{canonical.version} was recorded at {canonical.commit[:7]}, which the mirror has no longer"
            raise InfrastructureError(self.damage)
        try:
            app_set = canonical_app_set(self.host, canonical, self.request.app_set, slot.folder / "source")
        except SnapshotDamagedError as broken:
            self.damage = broken.message
            raise
        try:
            deploy_app_set(slot, app_set)
            self._check(slot)
            check_up(slot)
        except TimedOutError as slow:
            raise SlowHostError(slow) from slow
        except RecipeError as broken:
            why = self._no_rise(canonical, broken.message)
            raise InfrastructureError(_with_tail(why, broken.tail), broken.hint) from broken
        except NeededAppError as failed:
            rested = {member.recipe.name for member in app_set if member.source is not None}
            if failed.timed_out or failed.need not in rested:
                raise
            raise InfrastructureError(self._no_rise(canonical, failed.message), failed.hint) from failed

    def _no_rise(self, canonical: Canonical, why: str) -> str:
        """Say that a snapshot does not rise. It is damage only by the very tests with which it was promoted."""
        said = f"the snapshot of {canonical.version} does not rise: {why}"
        if canonical.evidence.tests != self.request.tests:
            return f"{said}; {_CHANGED_TESTS}"
        self.damage = said
        return said

    def _save_fresh_after_all(self, broken: Slot) -> None:
        """If the base is broken, the candidate is the fresh install.

        Stop the base, start the install again, watch it, save it.
        """
        if self.candidate is None:
            broken.stop_without_checks()
            self._save(self._wake(), (self.request.release.version,))

    def _backup(self) -> None:
        take = self.request.recipe.backup.take
        self._needs_a_backup()
        slot = self._wake()
        own = slot.apps[self.request.recipe.name]
        if take is not None:
            run_command(slot, own, take, "backup.take")
        else:
            with with_app_logs(slot, own):
                self.findings += own.driver.backup(own.app, slot.backup)
        check_up(slot)
        if TierName.RESTORE in self.request.recipe.tiers or self.request.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "was taken, but nothing brings it back and proves it")

    def _restore(self) -> None:
        restore = self.request.recipe.backup.restore
        self._needs_a_backup()
        if TierName.BACKUP in self.request.recipe.tiers or TierName.BACKUP not in self.request.tiers:
            raise SkipTierError(Skip.NO_CHECK, "no backup was taken")
        self._rest()
        with self._slot(TierName.RESTORE) as slot:
            deploy_app_set(slot, self._cast_like_the_living())
            own = slot.apps[self.request.recipe.name]
            proves = self.check_proves and not self._passes_already(slot)
            if restore is not None:
                run_command(slot, own, restore, "backup.restore", may_stop=True)
            else:
                with with_app_logs(slot, own):
                    own.driver.restore(own.app, slot.backup, ready_timeout(own))
            wait_until_ready(slot, own)
            self._check(slot)
            check_up(slot)
        if self.request.recipe.data.check is None:
            raise SkipTierError(Skip.NO_CHECK, "was brought back, but no [data] check proves what")
        if not proves:
            raise SkipTierError(Skip.NO_CHECK, "proves nothing: data.check passes before anything is brought back")

    def _cast_like_the_living(self) -> AppSet:
        """With the secrets and settings of the app that was backed up, which its data may want and no others.

        Backups hold neither: whoever restores one has them still.
        """
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        *needed, own = self.request.app_set
        return (*needed, evolve(own, like=self.living.apps[own.recipe.name].app))

    def _custom(self) -> None:
        if not self.request.recipe.custom.run:
            raise SkipTierError(Skip.NO_CHECK, "no [custom] tests are declared")
        slot = self._wake()
        run_commands(slot, slot.apps[self.request.recipe.name], self.request.recipe.custom.run, "custom test")
        check_up(slot)

    def _needs_a_backup(self) -> None:
        """Leave the tier where neither the declaration nor the release itself says how to make one."""
        assert self.living is not None  # noqa: S101  install comes first and ends a trial where it fails
        own = self.living.apps[self.request.recipe.name]
        if self.request.recipe.backup.take is None and not own.driver.backs_up(own.app):
            raise SkipTierError(Skip.NO_CHECK, "no [backup] is declared")


def _with_tail(message: str, tail: tuple[str, ...]) -> str:
    return f"{message}: {tail[-1]}" if tail else message
