"""Lists the secrets that a release needs, and makes them in the swarm.

As with abra, the name of a secret is its key in the compose files: `secrets: {db: {name: …}}` declares the secret `db`.
The .env.sample has a variable for the version of each secret. The comment after it declares the length and characters
of the secret.
"""

import base64
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from reconciler.errors import RecipeError
from reconciler.host import app_directory
from reconciler.host.sample import SAMPLE, describes_secret, secret_from_comment
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.compose import Config, is_external
from reconciler.host.swarm.recipe.overlays import files_beside_first
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease, resolve_compose, stack_settings
from reconciler.host.swarm.recipe.recipe import DEFAULT_SECRET_LENGTH, compose_files, deployment_variables, read_recipe
from reconciler.host.swarm.recipe.stack import NAMESPACE, Stack
from reconciler.ports.app import App, DeployOptions
from reconciler.ports.app_secrets import SecretNeed

# A placeholder, to resolve compose files before a slot exists.
_PLACEHOLDER = Stack("nobody", "nobody", "", "nobody.localhost")


def secret_needs(engine: Engine, app: App, checkout: Path, options: DeployOptions) -> tuple[SecretNeed, ...]:
    """Return the secrets of the stack that the services of the release in `checkout` use.

    To find out which version variable belongs to which secret, give each variable a unique value, let Docker's client
    fill in the compose files, and look for the value in the names of the secrets. Raise RecipeError if the release is
    not a valid recipe, or if Docker refuses its files.
    """
    recipe = read_recipe(checkout, app_directory.sample_for(app, options))
    settings = deployment_variables(recipe, options.settings, stack_settings(_PLACEHOLDER))
    comments = {name: recipe.comments.get(name, "") for name in settings}
    marks = {
        name: f"canon-{number}-version"
        for number, (name, comment) in enumerate(comments.items())
        if settings[name] and describes_secret(name, comment)
    }
    compose = (*compose_files(settings, checkout), *options.overlays)
    with files_beside_first(compose) as files:
        names = swarm_names(resolve_compose(engine, files, {**settings, **marks}, checkout), _PLACEHOLDER)
    by_mark = {mark: comments[name] for name, mark in marks.items()}
    return tuple(_secret_need(key, full, names, by_mark) for key, full in names.items())


def _secret_need(key: str, full: str, names: Mapping[str, str], comments: Mapping[str, str]) -> SecretNeed:
    """Return the secret `key`, with the length and characters that the comment of its version variable declares.

    * `key`, `full`: its key in the compose files and its name in the swarm.
    * `names`: the keys of all secrets, each with its name in the swarm.
    * `comments`: maps the value of each version variable to the comment after it. Each variable has another value, so
      the comment of this secret is the one whose key is part of `full`.
    """
    comment = next((comment for mark, comment in comments.items() if mark in full), "")
    need = secret_from_comment(SAMPLE, key, comment, DEFAULT_SECRET_LENGTH)
    other = _short_name(full, _PLACEHOLDER)
    return need if other in names else evolve(need, other_names=(other,))


def swarm_names(config: Config, stack: Stack) -> Mapping[str, str]:
    """Return the secrets of the stack, as {KEY IN THE COMPOSE FILES: NAME IN THE SWARM}.

    A secret is left out if no service uses it, or if its name in the swarm does not begin with the name of the stack.
    """
    return {key: full for key, full in _used_secrets(config).items() if _is_own(full, stack)}


def _is_own(full: str, stack: Stack) -> bool:
    """Return whether a secret belongs to the stack, by its name `full` in the swarm, such as "STACK_db_v1".

    The name has to begin with the name of the stack, and to end with a version: "STACK_db_" has no version.
    """
    return full.startswith(f"{stack.name}_") and not full.endswith("_")


def _used_secrets(config: Config) -> Mapping[str, str]:
    """Return the external secrets that services use, as {KEY IN THE COMPOSE FILES: NAME IN THE SWARM}.

    Secrets that no service uses are left out, because Docker does not check them.
    """
    used = {one["source"] for service in config["services"].values() for one in service.get("secrets") or ()}
    declared: Mapping[str, Config] = config.get("secrets") or {}
    return {key: str(value.get("name") or key) for key, value in declared.items() if key in used and is_external(value)}


def _short_name(full: str, stack: Stack) -> str:
    """Return the name that abra gives to a secret: "db" for "STACK_db_v1", its full name in the swarm.

    If there is no version in `full`, return everything after the name of the stack.
    """
    name, version = abra_name(full, stack)
    return name or version


def create_secrets(engine: Engine, prepared: PreparedRelease, app: App) -> None:
    """Make a secret in the swarm for each secret file of the app that the release uses.

    Secrets that exist already stay as they are.
    """
    stack = prepared.stack
    existing = _existing_secrets(engine, f"label={NAMESPACE}={stack.name}")
    for full, file in provided_files(prepared, app).items():
        if full not in existing:
            content = base64.b64encode(file.read_bytes()).decode()
            body = {"Name": full, "Labels": {**stack.labels, NAMESPACE: stack.name}, "Data": content}
            engine.create("secret", body, f"make secret {stack.logical(full)}")


def provided_files(prepared: PreparedRelease, app: App) -> Mapping[str, Path]:
    """Return the secret files of the app that the release uses, as {NAME OF THE SECRET IN THE SWARM: PATH}.

    A file is named like the key of its secret in the compose files. In old snapshots it may have abra's name for the
    secret instead, such as "db" for "STACK_db_v1". Secrets without a file are left out.
    """
    names = swarm_names(prepared.config, prepared.stack)
    others = {full: _short_name(full, prepared.stack) for full in names.values()}
    files = {
        full: next((file for file in (app.secrets / key, app.secrets / others[full]) if file.is_file()), None)
        for key, full in names.items()
    }
    return {full: file for full, file in files.items() if file is not None}


def abra_name(full: str, stack: Stack) -> tuple[str, str]:
    """Return the name and the version that `abra app secret insert` wants for a secret: ("db", "v1") for "STACK_db_v1".

    `full` is its name in the swarm.
    """
    name, _, version = stack.logical(full).rpartition("_")
    return name, version


def check_secrets(engine: Engine, prepared: PreparedRelease, app: App) -> None:
    """Raise RecipeError if the release uses a secret that exists neither in the swarm nor as a file of the app.

    Docker alone would fail only after it had made the networks.
    """
    stack = prepared.stack
    missing = {*_used_secrets(prepared.config).values()} - {*provided_files(prepared, app)}
    if missing and (missing := missing - _existing_secrets(engine)):
        names = ", ".join(stack.logical(name).removesuffix("_") for name in sorted(missing))
        raise RecipeError(
            f"{stack.recipe}: nothing makes the secret {names}",
            f"its name is made of ${{STACK_NAME}} and a version, which a setting such as SECRET_NAME_VERSION=v1 gives, "
            f"in {SAMPLE} or in [install] env",
        )


def _existing_secrets(engine: Engine, *filters: str) -> set[str]:
    """Return the names of the secrets in the swarm that match Docker's `filters`; without filters, of all secrets."""
    return {secret["Spec"]["Name"] for secret in engine.find("secret", *filters)}
