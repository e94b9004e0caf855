"""A world with a model of it. Every action is done to both, and the invariants are checked afterwards."""

import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path

from attrs import define, evolve, field

from desired.model import Recipe
from reconciler.cli.accept_and_forget import _accept_lost_tags, _accept_moved_tag, _forget_orphan
from reconciler.core.findings import Cause
from reconciler.core.observation import Observation
from reconciler.core.outcome import Result
from reconciler.core.report import Report, ReportBucket
from reconciler.deploy.slot_lock import lock_slot
from reconciler.stages.observe import observe
from state.folder.lock import hold
from state.records import Memory
from tests.folders import entries_below
from tests.pass_model import (
    PlannedWork,
    RecipeModel,
    apply_pass,
    exit_code_of,
    facts_of,
    is_in_sync,
    is_shrunken,
    moved_tags,
    rank,
    work_of,
)
from tests.port_calls import KillPoint, killed_pass
from tests.recorded_model import comparable, recorded_models
from tests.state_checks import false_claims, is_intact, leftovers
from tests.world import Behaviour, World
from tests.world_ports import WorldMirror

NAMES = ("alpha", "beta", "gamma")
SUCCESS = {Result.PROMOTED, Result.REPAIRED}


@define
class ModelledWorld:
    """`ever` has every (recipe, tag, commit) that was ever published. gamma requires a tool."""

    world: World
    twins: dict[str, RecipeModel]
    declarations: dict[str, Recipe]
    ever: set[tuple[str, str, str]] = field(factory=set)

    @classmethod
    def beginning(cls, root: Path) -> "ModelledWorld":
        world = World(root)
        for name in NAMES:
            world.declare(name, requires=("tool",) if name == "gamma" else ())
        world.state.create()
        return cls(world, {name: RecipeModel() for name in NAMES}, dict(world.recipes))

    # ---- what changes around it ----

    def tags(self, name: str) -> dict[str, str]:
        return self.world.origins[name].tags

    def publish(self, name: str, version: str, behaviour: Behaviour | None = None) -> None:
        self.ever.add((name, version, self.world.tag(name, version, behaviour)))

    def publish_again(self, name: str, tag: str, version: str) -> None:
        """Publish another tag on the commit of `tag`."""
        self.tags(name)[version] = self.tags(name)[tag]
        self.ever.add((name, version, self.tags(name)[tag]))

    def newest(self, name: str) -> int:
        return max(map(rank, self.tags(name)), default=0)

    def delete(self, name: str, tags: Iterable[str]) -> None:
        for tag in tags:
            del self.tags(name)[tag]

    def fail_or_come_back(self, name: str) -> None:
        origin = self.world.origins[name]
        origin.down = "" if origin.down else "no answer"

    def break_or_mend_the_tests(self, name: str) -> None:
        broken = self.declarations[name].folder / "broken"
        if broken.exists():
            broken.unlink()
        else:
            broken.touch()

    def except_or_enrol(self, name: str) -> None:
        before = self.declarations[name]
        self.declarations[name] = evolve(before, enrolled=not before.enrolled)
        if name in self.world.recipes:
            self.world.recipes[name] = self.declarations[name]

    def undeclare_or_declare(self, name: str) -> None:
        if self.world.recipes.pop(name, None) is None:
            self.world.recipes[name] = self.declarations[name]

    def damage(self, name: str, at: int | None = None, *, older: bool = False) -> None:
        """Flip a bit of the canonical's snapshot, or of the newest intact one before it; or delete all of it."""
        twin = self.twins[name]
        if (older and twin.older is None) or (not older and (twin.have is None or twin.damaged)):
            return
        memory = self.world.records().memories[name]
        before = self.world.host().registry.generations(name)[int(older) :]
        broken = next(each for each in before if is_intact(self.world.state, each, memory))
        folder = self.world.state.canonical(name, broken.generation)
        if at is None:
            shutil.rmtree(folder)
        else:
            content = bytearray((folder / "snapshot.tar").read_bytes())
            content[at % len(content)] ^= 1
            (folder / "snapshot.tar").write_bytes(content)
        if older:
            twin.older = None
        else:
            twin.damaged = True

    # ---- what a person decides ----

    def orphans(self) -> list[str]:
        return [name for name in NAMES if name not in self.world.recipes and self.twins[name].have]

    def forget(self, name: str) -> bool:
        """Forget an orphan. Return whether the recipe was one."""
        if name not in self.orphans():
            return False
        _forget_orphan(self.world.host(), name, "gone for good")
        self.twins[name] = RecipeModel()
        return True

    def accept_moved(self, name: str) -> bool:
        """Accept one of the moved tags. Return whether there was one."""
        twin, tags = self.twins[name], self.tags(name)
        found = sorted(moved_tags(twin, tags), key=rank)
        if not found or not self._can_be_seen(name):
            return False
        self._remember(_accept_moved_tag(self.world.host(), self._sight(name), found[-1])[0])
        twin.known[found[-1]] = tags[found[-1]]
        return True

    def accept_loss(self, name: str) -> bool:
        """Accept that upstream lost tags. Return whether it had."""
        twin, tags = self.twins[name], self.tags(name)
        if not self._can_be_seen(name) or not is_shrunken(twin, tags):
            return False
        self._remember(_accept_lost_tags(self._sight(name))[0])
        twin.known = {tag: commit for tag, commit in twin.known.items() if tag in tags}
        return True

    def _can_be_seen(self, name: str) -> bool:
        return name in self.world.recipes and not self.world.origins[name].down

    def _sight(self, name: str) -> Observation:
        return observe(self.world.host(), self.world.fleet, [name], self.world.records()).observations[name]

    def _remember(self, memory: Memory) -> None:
        self.world.host().registry.remember([memory], [])

    # ---- acts ----

    def look(self, names: Collection[str] = ()) -> None:
        """Do a dry run, and check that it changes nothing."""
        before = self._everything()
        report = self.world.look(*self._selected(names))
        assert self._everything() == before
        self._check_report(report, dict.fromkeys(self._selected(names), Result.NONE))

    def one_pass(self, names: Collection[str] = (), retry: Collection[str] = (), busy: str | None = None) -> list[str]:
        """Run a pass over `names` or all, while another command holds `busy`'s slot. Return "cause: result" texts."""
        selected = self._selected(names)
        facts = {name: facts_of(self.world, name, busy=name == busy, retry=name in retry) for name in selected}
        work = {name: work_of(self.twins[name], facts[name]) for name in selected}
        files, deployed, mirrors = self._canonicals(), len(self.world.deployed), deepcopy(self.world.mirrors)
        with ExitStack() as stack:
            if busy:
                # Like every command that writes: make the folder first, then take the pass lock.
                self.world.state.create()
                with hold(self.world.state.lock, "trial"):
                    stack.enter_context(lock_slot(self.world.host(), busy, "trial"))
            done = self.world.run(*selected, retry=[name for name in retry if name in selected])
        results = {name: apply_pass(self.twins[name], facts[name]) for name in selected}
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

    def die(self, death: KillPoint, deaths: int = 1) -> bool:
        """Kill `deaths` passes, then check that one more ends as undisturbed. Return whether one was killed."""
        died = [killed_pass(self.world, death) for _ in range(deaths)]
        self.world.run()
        found = comparable(recorded_models(self.world, NAMES))
        # A pass may have done all its work before it was killed, and the next one may then repair.
        possible = [self._after(passes) for passes in range(1, deaths + 2)]
        self.twins = next((twins for twins in possible if comparable(twins) == found), possible[0])
        self._check_state()
        return any(died)

    def _after(self, passes: int) -> dict[str, RecipeModel]:
        """Return the model after that many undisturbed passes."""
        twins = deepcopy(self.twins)
        for _ in range(passes):
            for name in self.world.recipes:
                apply_pass(twins[name], facts_of(self.world, name))
        return twins

    # ---- what must hold ----

    def _selected(self, names: Collection[str]) -> list[str]:
        """Return the declared ones of `names`, or all declared recipes if there are none."""
        return sorted(set(names) & set(self.world.recipes)) or sorted(self.world.recipes)

    def _work(self, name: str) -> PlannedWork:
        return work_of(self.twins[name], facts_of(self.world, name))

    def _everything(self) -> object:
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
        found = [(left[name], self.twins[name], facts_of(self.world, name), results[name]) for name in results]
        assert report.exit_code == exit_code_of(found, [self.twins[name] for name in orphans])
        assert report.counts[ReportBucket.IN_SYNC] == sum(is_in_sync(*each) for each in found)
        population = report.population
        assert population.selected == population.observed == population.decided == population.reported == len(results)
        assert population.declared == len(self.world.recipes)

    def _check_state(self) -> None:
        """Check that the records match the model, that their data proves them, and that nothing is left over."""
        assert comparable(recorded_models(self.world, NAMES)) == comparable(self.twins)
        assert leftovers(self.world.state, self.world.running) == []
        assert self.world.restless == []
        for name, have in self.world.records().canonicals.items():
            assert (name, have.version, have.commit) in self.ever & set(self.world.deployed)
            assert self.twins[name].damaged or false_claims(self.world.state, have) == []

    def _check_mirrors(self, names: Iterable[str], before: Mapping[str, WorldMirror]) -> None:
        """Check that mirrors are at upstream's head, and have the remembered tags or those that they had before."""
        for name in names:
            mirror, twin, origin = self.world.mirrors[name], self.twins[name], self.world.origins[name]
            known = ({twin.have.version: twin.have.commit} if twin.have else {}) | twin.known
            old = before[name].tags if name in before else {}
            assert mirror.head == origin.head
            assert {tag for tag in known if tag in old or origin.tags.get(tag) == known[tag]} == set(mirror.tags)
            assert all(commit in {known[tag], old.get(tag)} for tag, commit in mirror.tags.items())
