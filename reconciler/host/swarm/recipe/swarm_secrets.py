"""The secrets of a stack: which it wants, and those of the swarm that are made of what its app has.

They go by the names that compose files give them, as with Co-op Cloud's own tool: `secrets: {db: {name: …}}` is the
secret `db`, whatever variable its version comes from. What stands behind that variable in the sample describes it.
"""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from reconciler.errors import RecipeError
from reconciler.host import app_directory as appfiles
from reconciler.host.sample import SAMPLE, describes_secret, secret_from_comment
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.compose import Config, is_external
from reconciler.host.swarm.recipe.overlays import files_beside_first
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease, resolve_compose, stack_settings
from reconciler.host.swarm.recipe.recipe import DEFAULT_SECRET_LENGTH, compose_files, deployment_variables, read_recipe
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack
from reconciler.ports.app import App, DeployOptions
from reconciler.ports.app_secrets import SecretNeed

# For a look at what compose files come to, in which no name matters.
_NOBODY = Stack("nobody", "nobody", "", "nobody.localhost")


def secret_needs(engine: Engine, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
    """The secrets that services of the compose files in use name, and that are the stack's own.

    Which variable describes one is told by what its name comes to when each has a value that no other has.
    """
    recipe = read_recipe(checkout, appfiles.sample_for(app, options))
    settings = deployment_variables(recipe, options.settings, stack_settings(_NOBODY))
    comments = {name: recipe.comments.get(name, "") for name in settings}
    marks = {
        name: f"canon-{number}-version"
        for number, (name, comment) in enumerate(comments.items())
        if settings[name] and describes_secret(name, comment)
    }
    compose = (*compose_files(settings, checkout), *options.overlays)
    with files_beside_first(compose) as files:
        names = swarm_names(resolve_compose(engine, files, {**settings, **marks}, checkout), _NOBODY)
    by_mark = {mark: comments[name] for name, mark in marks.items()}
    return tuple(_need(key, full, names, by_mark) for key, full in names.items())


def _need(key: str, full: str, names: Mapping[str, str], comments: Mapping[str, str]) -> SecretNeed:
    """The secret `key` of those with these `names`; `comments` by what stands for a variable in `full`."""
    comment = next((comment for mark, comment in comments.items() if mark in full), "")
    need = secret_from_comment(SAMPLE, key, comment, DEFAULT_SECRET_LENGTH)
    other = _middle(full, _NOBODY)
    return need if other in names else evolve(need, other_names=(other,))


def swarm_names(config: Config, stack: Stack) -> Mapping[str, str]:
    """For each secret that has to be made for the stack, by its name in compose files, the one in the swarm."""
    return {key: full for key, full in _used(config).items() if _is_own(full, stack)}


def _is_own(full: str, stack: Stack) -> bool:
    """Whether a name is of this stack, and has a version: without one a variable had no value."""
    return full.startswith(f"{stack.name}_") and not full.endswith("_")


def _used(config: Config) -> Mapping[str, str]:
    """The external secrets that some service uses. Docker wants no other to be there."""
    used = {one["source"] for service in config["services"].values() for one in service.get("secrets") or ()}
    declared: Mapping[str, Config] = config.get("secrets") or {}
    return {key: str(said.get("name") or key) for key, said in declared.items() if key in used and is_external(said)}


def _middle(full: str, stack: Stack) -> str:
    """What stands between the name of the stack and the version: how Co-op Cloud's tool calls it on inserting."""
    name, version = abra_name(full, stack)
    return name or version


def create_secrets(engine: Engine, prepared: PreparedRelease, app: App) -> None:
    """A secret of the swarm for each that was provided; one that is there has the same content already."""
    stack = prepared.stack
    labels = (*stack.label_options, "--label", f"{NAMESPACE}={stack.name}")
    have = _have(engine, f"label={labels[-1]}")
    for full, file in provided_files(prepared, app).items():
        if full not in have:
            what = f"make secret {stack.logical(full)}"
            engine.change("secret", "create", *labels, full, "-", what=what, stdin=file.read_bytes())


def provided_files(prepared: PreparedRelease, app: App) -> Mapping[str, Path]:
    """By its name in the swarm, the file of each secret that the app has.

    Snapshots have had them by what stands between the stack and the version.
    """
    names = swarm_names(prepared.config, prepared.stack)
    others = {full: _middle(full, prepared.stack) for full in names.values()}
    files = {
        full: next((file for file in (app.secrets / key, app.secrets / others[full]) if file.is_file()), None)
        for key, full in names.items()
    }
    return {full: file for full, file in files.items() if file is not None}


def abra_name(full: str, stack: Stack) -> tuple[str, str]:
    """The name and the version under which Co-op Cloud's tool inserts a secret."""
    name, _, version = stack.logical(full).rpartition("_")
    return name, version


def check_secrets(engine: Engine, prepared: PreparedRelease, app: App) -> None:
    """Docker would find out only once it has made the networks. Raises RecipeError for what nothing makes."""
    stack = prepared.stack
    lacking = {*_used(prepared.config).values()} - {*provided_files(prepared, app)}
    if lacking and (lacking := lacking - _have(engine)):
        said = ", ".join(stack.logical(name).removesuffix("_") for name in sorted(lacking))
        raise RecipeError(
            f"{stack.recipe}: nothing makes the secret {said}",
            f"its name is made of ${{STACK_NAME}} and a version, which a setting such as SECRET_NAME_VERSION=v1 gives, "
            f"in {SAMPLE} or in [install] env",
        )


def _have(engine: Engine, *filters: str) -> set[str]:
    return {secret["Spec"]["Name"] for secret in engine.inspect("secret", engine.list_ids("secret", *filters))}
