"""A cold test of one recipe at one commit, tier by tier: the verdict on each, and what they come to."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime

from attrs import define, evolve, field

from desired.model import TierName
from reconciler.core.tier_results import Skip, TierResult, Trial, Verdict, first_failure, without_unproved_backup
from reconciler.deploy.app_set import app_set_digest
from reconciler.deploy.slot_lifetime import backup_of
from reconciler.errors import InfrastructureError, NeededAppError, RecipeError, TimedOutError, in_one_line
from reconciler.ports.host import Host
from reconciler.trial.tiers import SkipTierError, SlowHostError, TierRunner
from reconciler.trial.trial_request import TrialRequest
from state.folder.durable import remove_tree
from state.state_errors import StateError


def run_trial(host: Host, request: TrialRequest) -> Trial:
    """Try once; where something ran out of time, try all of it once more, and the second decides."""
    first = _Attempt(host, request).run()
    if not first.timed_out:
        return first
    host.progress.step(request.recipe.name, "not done in time: trying once more, alone", first.seconds)
    bad = first_failure(first.tiers)
    slow = f"a first try ran out of time: {bad.reason if bad else ''}"
    second = _Attempt(host, request, again=True).run()
    return evolve(second, findings=(*second.findings, f"{slow}; the second decides: {_to_blame(second)}"))


def _to_blame(second: Trial) -> str:
    bad = first_failure(second.tiers)
    if bad is not None:
        return "slow recipe" if bad.verdict is Verdict.FAIL else "slow host"
    broken = any(tier.skip is Skip.BASE_BROKEN for tier in second.tiers)
    return "the release before it does not come up" if broken else "slow host"


@define
class _Attempt:
    """One run through the tiers, and the verdict on each that was reached."""

    host: Host
    request: TrialRequest
    again: bool = False
    results: list[TierResult] = field(factory=list)
    tail: tuple[str, ...] = ()
    timed_out: bool = False

    def run(self) -> Trial:
        """Go through the tiers until one fails, then remove every slot."""
        started_at, started = self.host.clock.now(), self.host.clock.monotonic()
        kept = self._has_its_files()
        # A backup that an earlier try took would prove nothing of this one.
        remove_tree(backup_of(self.request.folder))
        with ExitStack() as stack:
            rehearsal = TierRunner(self.host, self.request, stack, self.again)
            for name, tier in rehearsal.tiers().items():
                self._perform(name, tier)
                if first_failure(self.results) is not None:
                    break
        trial = self._trial(rehearsal, started_at)
        self._log_the_rest(trial)
        kept = self._has_its_files() and kept
        return evolve(trial, tests_unchanged=kept, seconds=self.host.clock.monotonic() - started)

    def _has_its_files(self) -> bool:
        """Whether the fleet's folders are as they were when the trial was planned."""
        try:
            return app_set_digest(self.request.app_set) == self.request.files
        except OSError:
            return False

    def _trial(self, rehearsal: TierRunner, started_at: datetime) -> Trial:
        request = self.request
        return Trial(
            id=request.id,
            recipe=request.recipe.name,
            release=request.release,
            by_pass=request.by_pass,
            tiers=without_unproved_backup(self.results),
            base=request.base,
            emptied=rehearsal.emptied,
            altered=tuple(rehearsal.altered),
            tests=request.tests,
            tests_unchanged=False,
            started_at=started_at,
            finished_at=self.host.clock.now(),
            seconds=0.0,
            log=f"logs/{request.recipe.name}/{request.id}",
            findings=tuple(dict.fromkeys(rehearsal.findings)),
            candidate=rehearsal.candidate,
            timed_out=self.timed_out,
            damage=rehearsal.damage,
            tail=self.tail,
            checks_data=rehearsal.check_proves,
        )

    def _perform(self, name: TierName, tier: Callable[[], None]) -> None:
        """Run one tier and write down what it came to."""
        started = self.host.clock.monotonic()
        self.host.progress.step(self.request.recipe.name, f"{self.request.release.version}: {name}")
        result = self._judged(name, tier)
        self.results.append(evolve(result, seconds=self.host.clock.monotonic() - started))
        if first_failure([result]) is not None:
            self._log(name, f"{result.verdict}: {result.reason}")

    def _log_the_rest(self, trial: Trial) -> None:
        """Log the verdicts that hold only once every tier is judged, and which tiers were not reached."""
        for tier in trial.tiers:
            if first_failure([tier]) is None:
                self._log(tier.name, str(tier.verdict) if tier.skip is None else f"skip: {tier.skip}: {tier.reason}")
        for name in [name for name in TierName if name not in {tier.name for tier in trial.tiers}]:
            self._log(name, "not reached")

    def _log(self, name: TierName, said: str) -> None:
        """End a tier's log with its verdict; where the tier wrote nothing, this is the only line."""
        path = self.host.state.trial_log(self.request.recipe.name, self.request.id) / f"{name}.log"
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(f"==> {name} {said}\n")

    def _judged(self, name: TierName, tier: Callable[[], None]) -> TierResult:
        try:
            self._leave_out(name)
            tier()
        except SkipTierError as skipped:
            return TierResult(name, Verdict.SKIP, str(skipped), skip=skipped.skip)
        except RecipeError as error:
            return TierResult(name, Verdict.FAIL, self._blamed(error))
        except (InfrastructureError, StateError, OSError) as error:
            slow_need = isinstance(error, NeededAppError) and error.timed_out
            self.timed_out = slow_need or isinstance(error, SlowHostError)
            return TierResult(name, Verdict.ERROR, in_one_line(error))
        return TierResult(name, Verdict.PASS)

    def _blamed(self, error: RecipeError) -> str:
        """What the recipe did; for what took too long also what the host was under just then."""
        self.tail = error.tail
        if isinstance(error, TimedOutError):
            self.timed_out = True
            return f"{error.message} (host: {error.pressure or self.host.commands.pressure()})"
        return in_one_line(error)

    def _leave_out(self, name: TierName) -> None:
        if name not in self.request.tiers:
            raise SkipTierError(Skip.NOT_ASKED, "not asked for")
        if name in self.request.recipe.tiers:
            raise SkipTierError(Skip.DECLARED, self.request.recipe.tiers[name])
