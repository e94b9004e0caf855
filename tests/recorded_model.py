"""Reads the records of a world into the form of the model, for comparison."""

from collections.abc import Iterable, Mapping

from state.records import Canonical, Memory
from tests.pass_model import ModelCanonical, ModelRed, RecipeModel, rank
from tests.state_checks import is_intact
from tests.world import World


def recorded_models(world: World, names: Iterable[str]) -> dict[str, RecipeModel]:
    records = world.records()
    return {
        name: _model(world, records.canonicals.get(name), records.memories.get(name, Memory(name))) for name in names
    }


def _model(world: World, have: Canonical | None, memory: Memory) -> RecipeModel:
    model = RecipeModel(
        known={tag: known.commit for tag, known in memory.known.items()},
        reds={
            version: ModelRed(rank(version), red.circumstances.commit, broken=False)
            for version, red in memory.reds.items()
        },
    )
    if have is not None:
        model.have = model_canonical(have)
        model.damaged = not is_intact(world.state, have, memory)
        older = world.host().registry.generations(have.recipe)[1:]
        model.older = next((model_canonical(each) for each in older if is_intact(world.state, each, memory)), None)
    return model


def model_canonical(canonical: Canonical) -> ModelCanonical:
    return ModelCanonical(canonical.version, canonical.commit, canonical.lineage)


def comparable(models: Mapping[str, RecipeModel]) -> object:
    """Return the model without whether a red came from broken tests, which no record holds."""
    return {
        name: (
            model.have,
            model.damaged,
            model.older,
            model.known,
            {(version, red.commit) for version, red in model.reds.items()},
        )
        for name, model in models.items()
    }
