"""A world with a model of it: what changes around it, and what a person decides."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from attrs import define, evolve, field

from desired.model import Recipe
from reconciler.cli.accept_and_forget import _accept_lost_tags, _accept_moved_tag, _forget_orphan
from reconciler.core.observation import Observation
from reconciler.stages.observe import observe
from state.records import Memory
from tests.pass_model import (
    RecipeModel,
    is_shrunken,
    moved_tags,
    rank,
)
from tests.state_checks import is_intact
from tests.world import Behaviour, World

NAMES = ("alpha", "beta", "gamma")


@define
class ModelledFleet:
    """`ever` has every (recipe, tag, commit) that was ever published. gamma requires a tool."""

    world: World
    models: dict[str, RecipeModel]
    declarations: dict[str, Recipe]
    ever: set[tuple[str, str, str]] = field(factory=set)

    @classmethod
    def beginning(cls, root: Path) -> Self:
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
        model = self.models[name]
        if (older and model.older is None) or (not older and (model.have is None or model.damaged)):
            return
        memory = self.world.records().memories[name]
        before = self.world.host().registry.generations(name)[int(older) :]
        broken = next(each for each in before if is_intact(self.world.state, each, memory))
        folder = self.world.state.canonical(name, broken.generation)
        if at is None:
            shutil.rmtree(folder)
        else:
            content = bytearray((folder / "snapshot.tar.zst").read_bytes())
            content[at % len(content)] ^= 1
            (folder / "snapshot.tar.zst").write_bytes(content)
        if older:
            model.older = None
        else:
            model.damaged = True

    # ---- what a person decides ----

    def orphans(self) -> list[str]:
        return [name for name in NAMES if name not in self.world.recipes and self.models[name].have]

    def forget(self, name: str) -> bool:
        """Forget an orphan. Return whether the recipe was one."""
        if name not in self.orphans():
            return False
        _forget_orphan(self.world.host(), name, "gone for good")
        self.models[name] = RecipeModel()
        return True

    def accept_moved(self, name: str) -> bool:
        """Accept one of the moved tags. Return whether there was one."""
        model, tags = self.models[name], self.tags(name)
        found = sorted(moved_tags(model, tags), key=rank)
        if not found or not self._can_be_seen(name):
            return False
        self._remember(_accept_moved_tag(self.world.host(), self._observe(name), found[-1])[0])
        model.known[found[-1]] = tags[found[-1]]
        return True

    def accept_loss(self, name: str) -> bool:
        """Accept that upstream lost tags. Return whether it had."""
        model, tags = self.models[name], self.tags(name)
        if not self._can_be_seen(name) or not is_shrunken(model, tags):
            return False
        self._remember(_accept_lost_tags(self._observe(name))[0])
        model.known = {tag: commit for tag, commit in model.known.items() if tag in tags}
        return True

    def _can_be_seen(self, name: str) -> bool:
        return name in self.world.recipes and not self.world.origins[name].down

    def _observe(self, name: str) -> Observation:
        return observe(self.world.host(), self.world.fleet, [name], self.world.records()).observations[name]

    def _remember(self, memory: Memory) -> None:
        self.world.host().registry.remember([memory], [])
