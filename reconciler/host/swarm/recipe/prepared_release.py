"""Makes one configuration of the compose files of a release, which is then deployed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from reconciler.host.swarm.engine.client_environment import (
    affects_client,
    names_without_value,
    rename_variables,
    renamed_copies,
)
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.compose import Config, has_ports, restore_ports
from reconciler.host.swarm.recipe.go_yaml import read_config
from reconciler.host.swarm.recipe.overlays import files_beside_first
from reconciler.host.swarm.recipe.recipe import (
    SwarmRecipe,
    check_inside,
    compose_files,
    deployment_variables,
    read_recipe,
)
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.ports.app import DeployOptions


@frozen
class PreparedRelease:
    """A release that is ready to be deployed.

    * `stack`: the stack in which it is deployed. `recipe`: what its files declare.
    * `checkout`: the folder with its files.
    * `compose`: its compose files, and overlays of the fleet.
    * `settings`: the values of the variables in the compose files.
    * `config`: what Docker's client makes of the compose files: one configuration, variables filled in.
    """

    stack: Stack
    recipe: SwarmRecipe
    checkout: Path
    compose: Sequence[Path]
    settings: Mapping[str, str]
    config: Config


def prepare_release(
    engine: Engine, stack: Stack, checkout: Path, options: DeployOptions, before: str
) -> PreparedRelease:
    """Return the release in `checkout`, ready to be deployed as `stack`: with its compose files merged and filled in.

    `before` is the text of the .env.sample of the app's last deployment, "" for a new app. Raise RecipeError if the
    release is not a Co-op Cloud recipe, or if Docker refuses its files.
    """
    recipe = read_recipe(checkout, before)
    settings = deployment_variables(recipe, options.settings, stack_settings(stack))
    compose = (*compose_files(settings, checkout), *options.overlays)
    with files_beside_first(compose) as files:
        merged = resolve_compose(engine, files, settings, checkout)
        # A merge loses only some ports of a service, never all.
        may_lack_ports = len(files) > 1 and has_ports(merged)
        each = [resolve_compose(engine, (file,), settings, checkout) for file in files] if may_lack_ports else []
    config = _with_own_variables(restore_ports(merged, each), compose, settings, checkout)
    return PreparedRelease(stack, recipe, checkout, compose, settings, config)


def stack_settings(stack: Stack) -> Mapping[str, str]:
    """Return the variables that depend on the stack: STACK_NAME and DOMAIN."""
    return {"STACK_NAME": stack.name, "DOMAIN": stack.domain}


def resolve_compose(engine: Engine, files: Sequence[Path], settings: Mapping[str, str], checkout: Path) -> Config:
    """Return the configuration that Docker's client makes of compose files with the variables `settings`.

    The client runs in the folder `checkout`. A setting that is named like a variable of the client, such as
    DOCKER_HOST, does not affect it. Raise RecipeError if the client refuses the files.
    """
    with renamed_copies(files) as read:
        return read_config(engine.command.config(read, rename_variables(settings), checkout))


def _with_own_variables(config: Config, compose: Sequence[Path], settings: Mapping[str, str], checkout: Path) -> Config:
    """Return `config` without `env_file`, and with the values of the variables that `rename_variables` renamed.

    * Docker's client has already put the variables of each `env_file` into `environment`. If `env_file` stayed, the
      client would read the file again at the deployment.
    * The client has no values for the renamed variables, so they are filled in here, from `settings`.

    `compose` has the paths of the compose files, and `checkout` is the folder of the release. Raise RecipeError for an
    `env_file` that is neither in `checkout` nor in the folder of an overlay.
    """
    hidden = {name: value for name, value in settings.items() if affects_client(name)}
    services = {}
    for name, service in config["services"].items():
        kept = {key: value for key, value in service.items() if key != "env_file"}
        environment = dict(kept.get("environment") or {})
        for file in service.get("env_file") or ():
            _check_env_file(name, file, compose, checkout)
            environment = {**dict.fromkeys(names_without_value(compose[0].parent / file, hidden)), **environment}
        # As the client does for all other variables: one with no value, or an empty one, gets the value of the setting.
        filled = {key: value or hidden.get(key, value) for key, value in environment.items()}
        services[name] = {**kept, "environment": filled} if filled else kept
    return {**config, "services": services}


def _check_env_file(service: str, file: str, compose: Sequence[Path], checkout: Path) -> None:
    """Raise RecipeError if the `env_file` of a service is neither in the release nor in the folder of an overlay.

    * `file`: its path as the service names it, relative to the folder of the first file in `compose`.
    * `compose`: all compose files, with overlays.
    * `checkout`: the folder of the release.
    """
    path, what = compose[0].parent / file, f"env_file of {service} is {file}"
    fleets = [overlay.parent for overlay in compose if not overlay.is_relative_to(checkout)]
    check_inside(next((folder for folder in fleets if path.is_relative_to(folder)), checkout), path, what)
