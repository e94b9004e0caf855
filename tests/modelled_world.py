"""A world with a model of it: every pass is made in both, and the invariants are checked afterwards."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from copy import deepcopy

from attrs import define

from reconciler.core.findings import Cause
from reconciler.core.outcome import Result
from reconciler.core.report import Report, ReportBucket
from reconciler.deploy.slot_lock import lock_slot
from state.folder.lock import hold
from tests.folders import entries_below
from tests.model_exit_code import exit_code_of, is_in_sync
from tests.modelled_fleet import NAMES, ModelledFleet
from tests.pass_model import (
    ExpectedWork,
    RecipeModel,
    apply_pass,
    facts_of,
    work_of,
)
from tests.port_calls import KillPoint, killed_pass
from tests.recorded_model import comparable, recorded_models
from tests.state_checks import false_claims, leftovers
from tests.world_mirrors import WorldMirror

SUCCESS = {Result.PROMOTED, Result.REPAIRED}


@define
class ModelledWorld(ModelledFleet):
    """Runs passes, and compares them with the model."""

    # ---- acts ----

    def look(self, names: Collection[str] = ()) -> None:
        """Do a dry run, and check that it changes nothing."""
        before = self._visible_state()
        report = self.world.look(*self._selected(names))
        assert self._visible_state() == before
        self._check_report(report, dict.fromkeys(self._selected(names), Result.NONE))

    def one_pass(self, names: Collection[str] = (), retry: Collection[str] = (), busy: str | None = None) -> list[str]:
        """Run a pass over `names` or all, while another command holds `busy`'s slot. Return "cause: result" texts."""
        selected = self._selected(names)
        facts = {name: facts_of(self.world, name, busy=name == busy, retry=name in retry) for name in selected}
        work = {name: work_of(self.models[name], facts[name]) for name in selected}
        files, deployed, mirrors = self._canonicals(), len(self.world.deployed), deepcopy(self.world.mirrors)
        with ExitStack() as stack:
            if busy:
                # Like every command that writes: make the folder first, then take the pass lock.
                self.world.state.create()
                with hold(self.world.state.lock, "trial"):
                    stack.enter_context(lock_slot(self.world.host(), busy, "trial"))
            done = self.world.run(*selected, retry=[name for name in retry if name in selected])
        results = {name: apply_pass(self.models[name], facts[name]) for name in selected}
        self._check_report(done.report, results)
        self._check_state()
        seen = [name for name in selected if facts[name].enrolled and work[name].cause != Cause.UNOBSERVABLE]
        self._check_mirrors(seen, mirrors)
        ran = {name for name, *_ in self.world.deployed[deployed:]}
        assert ran <= {name for name in selected if work[name].target}
        changed = {name for name, result in results.items() if result in SUCCESS and work[name].target}
        assert {name: files[name] for name in files if name not in changed}.items() <= self._canonicals().items()
        return [f"{work[name].cause}: {result}" for name, result in results.items()]

    def pass_that_does_only_what_is_left(self) -> None:
        """Run a pass right after another one, and check that nothing is deployed unless that one left work."""
        left = [self._work(name) for name in self._selected(())]
        before = len(self.world.deployed)
        self.one_pass()
        assert len(self.world.deployed) == before or any(work.target for work in left)

    def kill_passes(self, point: KillPoint, times: int = 1) -> bool:
        """Kill that many passes, then check that one more ends as undisturbed. Return whether one was killed."""
        died = [killed_pass(self.world, point) for _ in range(times)]
        self.world.run()
        found = comparable(recorded_models(self.world, NAMES))
        # A pass may have done all its work before it was killed, and the next one may then repair.
        possible = [self._after(passes) for passes in range(1, times + 2)]
        self.models = next((models for models in possible if comparable(models) == found), possible[0])
        self._check_state()
        return any(died)

    def _after(self, passes: int) -> dict[str, RecipeModel]:
        """Return the model after that many undisturbed passes."""
        models = deepcopy(self.models)
        for _ in range(passes):
            for name in self.world.recipes:
                apply_pass(models[name], facts_of(self.world, name))
        return models

    # ---- what must hold ----

    def _selected(self, names: Collection[str]) -> list[str]:
        """Return the declared ones of `names`, or all declared recipes if there are none."""
        return sorted(set(names) & set(self.world.recipes)) or sorted(self.world.recipes)

    def _work(self, name: str) -> ExpectedWork:
        return work_of(self.models[name], facts_of(self.world, name))

    def _visible_state(self) -> object:
        world = self.world
        return entries_below(world.root), dict(world.running), list(world.deployed), deepcopy(world.mirrors)

    def _canonicals(self) -> dict[str, Mapping[str, str]]:
        """Return the files of each recorded canonical, with their times."""
        return {
            name: entries_below(self.world.state.canonical(name, have.generation))
            for name, have in self.world.records().canonicals.items()
        }

    def _check_report(self, report: Report, results: Mapping[str, Result]) -> None:
        """Check that every recipe is reported as the model expects, and that the exit code is the worst of all."""
        whole = len(results) == len(self.world.recipes)
        left = {name: self._work(name) for name in results}
        orphans = self.orphans() if whole else []
        rows = {row.recipe: row for row in report.rows}
        assert sorted(rows) == sorted([*results, *orphans])
        assert {name: (rows[name].finding.cause, rows[name].result) for name in results} == {
            name: (left[name].cause, results[name]) for name in results
        }
        found = [(left[name], self.models[name], facts_of(self.world, name), results[name]) for name in results]
        assert report.exit_code == exit_code_of(found, [self.models[name] for name in orphans])
        assert report.counts[ReportBucket.IN_SYNC] == sum(is_in_sync(*each) for each in found)
        population = report.population
        assert population.selected == population.observed == population.decided == population.reported == len(results)
        assert population.declared == len(self.world.recipes)

    def _check_state(self) -> None:
        """Check that the records match the model, that their data proves them, and that nothing is left over."""
        assert comparable(recorded_models(self.world, NAMES)) == comparable(self.models)
        assert leftovers(self.world.state, self.world.running) == []
        assert self.world.restless == []
        for name, have in self.world.records().canonicals.items():
            assert (name, have.version, have.commit) in self.ever & set(self.world.deployed)
            assert self.models[name].damaged or false_claims(self.world.state, have) == []

    def _check_mirrors(self, names: Iterable[str], before: Mapping[str, WorldMirror]) -> None:
        """Check that mirrors are at upstream's head, and have the remembered tags or those that they had before."""
        for name in names:
            mirror, model, origin = self.world.mirrors[name], self.models[name], self.world.origins[name]
            known = ({model.have.version: model.have.commit} if model.have else {}) | model.known
            old = before[name].tags if name in before else {}
            assert mirror.head == origin.head
            assert {tag for tag in known if tag in old or origin.tags.get(tag) == known[tag]} == set(mirror.tags)
            assert all(commit in {known[tag], old.get(tag)} for tag, commit in mirror.tags.items())
