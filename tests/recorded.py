"""The model's view of what is recorded, so that the two can be compared."""

from collections.abc import Iterable, Mapping

from state.model import Canonical, Memory
from state.snapshots import SealedSnapshots
from tests.expected import Held, Red, Twin, rank
from tests.world import World


def recorded(world: World, names: Iterable[str]) -> dict[str, Twin]:
    records = world.records()
    return {
        name: _twin(world, records.canonicals.get(name), records.memories.get(name, Memory(name))) for name in names
    }


def _twin(world: World, have: Canonical | None, memory: Memory) -> Twin:
    twin = Twin(
        known={tag: known.commit for tag, known in memory.known.items()},
        reds={
            version: Red(rank(version), red.circumstances.commit, broken=False) for version, red in memory.reds.items()
        },
    )
    if have is not None:
        folder = world.state.canonical(have.recipe, have.generation)
        found = memory.damage is not None and memory.damage.generation == have.generation
        twin.have = Held(have.version, have.commit, have.lineage)
        twin.damaged = found or SealedSnapshots().glance(folder, have.seal) is not None
    return twin


def comparable(twins: Mapping[str, Twin]) -> object:
    """All but whether a red was given under broken tests: their digest in the record does not tell."""
    return {
        name: (twin.have, twin.damaged, twin.known, {(version, red.commit) for version, red in twin.reds.items()})
        for name, twin in twins.items()
    }
