"""A release as it will be deployed, from its own files and what it is given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from reconciler.crossing import Given
from reconciler.host.swarm.compose import Config, with_all_ports
from reconciler.host.swarm.dialect import read_config
from reconciler.host.swarm.engine import Engine
from reconciler.host.swarm.overlays import beside_first
from reconciler.host.swarm.recipe import SwarmRecipe, compose_files, inside, read_recipe, settings_of
from reconciler.host.swarm.stack import Stack


@frozen
class Prepared:
    """A release as it will be deployed: its files, the variables in them, and what they come to."""

    stack: Stack
    recipe: SwarmRecipe
    checkout: Path
    compose: Sequence[Path]
    settings: Mapping[str, str]
    config: Config


def prepare(engine: Engine, stack: Stack, checkout: Path, given: Given, before: str) -> Prepared:
    """`before` is the sample that the app was deployed with until now, "" for a new one."""
    recipe = read_recipe(checkout, before)
    ours = {"STACK_NAME": stack.name, "DOMAIN": stack.domain}
    settings = settings_of(recipe, given.settings, ours)
    compose = (*compose_files(settings, checkout), *given.overlays)
    with beside_first(compose) as files:
        merged = read_config(engine.config(files, settings, checkout))
        each = [read_config(engine.config((file,), settings, checkout)) for file in files] if len(files) > 1 else []
    config = _without_files(with_all_ports(merged, each), compose, checkout)
    return Prepared(stack, recipe, checkout, compose, settings, config)


def _without_files(config: Config, compose: Sequence[Path], checkout: Path) -> Config:
    """Docker's client has laid the variables of `env_file` into the services, and would read the files once more."""
    for name, service in config["services"].items():
        for file in service.get("env_file") or ():
            _check_env_file(name, file, compose, checkout)
    services = {
        name: {key: value for key, value in service.items() if key != "env_file"}
        for name, service in config["services"].items()
    }
    return {**config, "services": services}


def _check_env_file(service: str, file: str, compose: Sequence[Path], checkout: Path) -> None:
    """It lies in the release, or beside a file of the fleet that is laid over it."""
    path, what = compose[0].parent / file, f"env_file of {service} is {file}"
    fleets = [overlay.parent for overlay in compose if not overlay.is_relative_to(checkout)]
    inside(next((folder for folder in fleets if path.is_relative_to(folder)), checkout), path, what)
