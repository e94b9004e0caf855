"""The upstreams of a world in memory, and the mirrors of them."""

import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import Factory, define

from desired.model import Recipe
from desired.releases import Release, Signature, Unobservable
from reconciler.errors import InfrastructureError
from reconciler.ports.repositories import Alterations, MirrorRefs, MirrorUpdate, Reply, TagQuery, Unchanged
from state.records import Answer

if TYPE_CHECKING:
    from tests.world import World


@define
class WorldUpstream:
    """One upstream repository."""

    tags: dict[str, str] = Factory(dict)
    head: str = "0" * 40
    down: str = ""

    def answer(self) -> Answer:
        said = json.dumps([self.tags, self.head], sort_keys=True)
        return Answer(sha256(said.encode()).hexdigest(), "main", self.head, dict(self.tags))


@define
class WorldUpstreams:
    world: "World"

    def ask(self, questions: Sequence[TagQuery]) -> Mapping[str, Reply]:
        return {question.recipe.name: self._reply(question) for question in questions}

    def _reply(self, question: TagQuery) -> Reply:
        origin = self.world.origins[question.recipe.name]
        if origin.down:
            return Unobservable(origin.down)
        answer = origin.answer()
        return Unchanged() if answer.digest == question.known else answer


@define
class WorldMirror:
    """The contents of one mirror. `objects` are all commits ever fetched: git keeps them when a tag moves.

    `broken` is why the mirror cannot be read, "" if it can.
    """

    head: str
    tags: dict[str, str]
    objects: set[str]
    broken: str = ""


@define
class WorldMirrors:
    world: "World"

    def refs(self, name: str) -> MirrorRefs | Unobservable | None:
        held = self.world.mirrors.get(name)
        if held is not None and held.broken:
            return Unobservable(held.broken)
        return MirrorRefs(held.head, dict(held.tags)) if held is not None else None

    def update(
        self, recipe: Recipe, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()
    ) -> MirrorUpdate:
        """Fetch tags by name. One that upstream no longer has at that commit stays as it was.

        A damaged mirror is moved away, and replaced by a new one.
        """
        before = self.world.mirrors.get(recipe.name, WorldMirror("", {}, set()))
        broken_copy = Path(f"/laid-aside/{recipe.name}") if before.broken else None
        before = WorldMirror("", {}, set()) if before.broken else before
        fetched = {tag: commit for tag, commit in tags.items() if answer.tags.get(tag) == commit}
        kept = {tag: before.tags[tag] for tag in tags if tag in before.tags} | fetched
        self.world.mirrors[recipe.name] = WorldMirror(answer.head, kept, before.objects | {*kept.values(), answer.head})
        return MirrorUpdate(broken_copy=broken_copy)

    def signatures(self, name: str, releases: Sequence[Release]) -> Mapping[str, Signature]:
        """Return the signatures of the world, by commit. A commit without one is not signed."""
        held = self.world.mirrors.get(name, WorldMirror("", {}, set())).tags
        there = [each for each in releases if held.get(each.version) == each.commit]
        unsigned = Signature(fault="the tag has no signature")
        return {each.version: self.world.signatures.get(each.commit, unsigned) for each in there}

    def fetch(self, recipe: Recipe, ref: str) -> str | None:
        return self.world.origins[recipe.name].tags.get(ref)

    def resolve(self, name: str, ref: str) -> str | None:
        held = self.world.mirrors.get(name, WorldMirror("", {}, set()))
        return ref if ref in held.objects else held.tags.get(ref)

    def checkout(self, name: str, commit: str, into: Path) -> None:
        held = self.world.mirrors.get(name)
        if held is None or commit not in held.objects:
            raise InfrastructureError(f"{name}: the mirror lacks {commit}")
        into.mkdir(parents=True)
        (into / "COMMIT").write_text(f"{name} {commit}")

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        tracked = folder / "COMMIT"
        kept = tracked.is_file() and tracked.read_text() == f"{name} {commit}"
        there = folder.iterdir() if folder.is_dir() else ()
        added = tuple(sorted(path.name for path in there if path.name != "COMMIT"))
        return Alterations(() if kept else ("COMMIT",), added)

    def recover(self) -> None:
        """Do nothing: an interrupted update of these mirrors leaves no files."""

    def drop(self, name: str) -> None:
        self.world.mirrors.pop(name, None)
