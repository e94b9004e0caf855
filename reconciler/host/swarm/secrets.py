"""The secrets of a stack: which it wants, and those of the swarm that are made of what its app has."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.crossing import App, Given, SecretNeed
from reconciler.errors import RecipeError
from reconciler.host import appfiles
from reconciler.host.sample import SAMPLE
from reconciler.host.swarm.engine import Engine
from reconciler.host.swarm.preparing import Prepared, prepare
from reconciler.host.swarm.recipe import declared, read_recipe, versions_in
from reconciler.host.swarm.stack import NAMESPACE, Stack

# For a look at what compose files come to, in which no name matters.
_NOBODY = Stack("nobody", "nobody", "", "nobody.localhost")


def needs(engine: Engine, app: App, checkout: Path, given: Given) -> tuple[SecretNeed, ...]:
    """All that are declared; of those that no length makes, only what the compose files name.

    A recipe declares them for overlays too that are not used.
    """
    before = appfiles.sample_of(app)
    every = declared(read_recipe(checkout, before), given.settings)
    if all(need.length is not None for need in every):
        return tuple(every)
    prepared = prepare(engine, _NOBODY, checkout, given, before)
    named, names = _wanted(prepared), names_of(prepared)
    return tuple(need for need in every if need.length is not None or names[need.name] in named)


def make(engine: Engine, prepared: Prepared, app: App) -> None:
    """A secret of the swarm for each that was provided; one that is there has the same content already."""
    stack = prepared.stack
    labels = (*stack.label_options, "--label", f"{NAMESPACE}={stack.name}")
    have = _have(engine, f"label={labels[-1]}")
    for name, full in provided(prepared, app).items():
        if full not in have:
            content = (app.secrets / name).read_bytes()
            engine.change("secret", "create", *labels, full, "-", what=f"make secret {name}", given=content)


def provided(prepared: Prepared, app: App) -> Mapping[str, str]:
    """What each secret that the app has is called in the swarm."""
    return {name: full for name, full in names_of(prepared).items() if (app.secrets / name).exists()}


def names_of(prepared: Prepared) -> Mapping[str, str]:
    """What each secret of the recipe is called in the swarm; its version is a setting like any other."""
    return {name: f"{prepared.stack.name}_{name}_{version}" for name, version in versions_in(prepared.settings).items()}


def _wanted(prepared: Prepared) -> set[str]:
    """The names in the swarm of those that the compose files want to be there."""
    secrets = (prepared.config.get("secrets") or {}).values()
    return {secret["name"] for secret in secrets if secret and secret.get("external")}


def check(engine: Engine, prepared: Prepared) -> None:
    """Docker would find out only once it has made the networks."""
    lacking = _wanted(prepared) - {*names_of(prepared).values()}
    if lacking and (lacking := lacking - _have(engine)):
        said = ", ".join(prepared.stack.logical(name) for name in sorted(lacking))
        raise RecipeError(
            f"{prepared.stack.recipe}: nothing makes the secret {said}",
            f"declare it as SECRET_NAME_VERSION=v1, in {SAMPLE} or in [install] env",
        )


def _have(engine: Engine, *filters: str) -> set[str]:
    return {secret["Spec"]["Name"] for secret in engine.inspect("secret", engine.found("secret", *filters))}
