"""Explains why Swarm refused to change a config or secret: its file changed, but not the version in its name."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import RecipeError
from reconciler.host.swarm.recipe.overlays import value_at
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease
from reconciler.host.swarm.recipe.recipe import SHELL
from reconciler.host.swarm.recipe.stack import object_name

# Swarm's message when the content of an existing config or secret is to change. Swarm never allows this.
_REFUSED = "only updates to Labels are allowed"
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


@contextmanager
def with_version_hint(prepared: PreparedRelease) -> Iterator[None]:
    """Give a RecipeError of the `with` block a new hint if Swarm refused to change a config or secret.

    The hint names the version that the maintainer of the recipe has to increase. The error is raised with the same
    message. Other errors are raised unchanged.
    """
    try:
        yield
    except RecipeError as failed:
        raise _explained(failed, prepared) from failed


def _explained(failed: RecipeError, prepared: PreparedRelease) -> RecipeError:
    """Return an error like `failed`, but with a new hint, if Swarm refused to change a config or secret.

    The new hint names the version that the maintainer of the recipe has to increase. If the error has another reason,
    return `failed` itself.
    """
    if _REFUSED not in failed.message:
        return failed
    hint = next((hint for name, hint in _hints(prepared) if name in failed.message), failed.hint)
    return RecipeError(failed.message, hint, failed.tail)


def _hints(prepared: PreparedRelease) -> Iterator[tuple[str, str]]:
    """Yield (NAME IN THE SWARM, HINT) for each config and secret that is made from a file.

    The hint says what the maintainer has to do when the file changes. The longest names come first, because a short
    name may be part of a longer name.
    """
    pairs = [
        (object_name(kind, key, value, prepared.stack), _hint(prepared, kind, key, value))
        for kind in ("configs", "secrets")
        for key, value in (prepared.config.get(kind) or {}).items()
        if value and value.get("file")
    ]
    return iter(sorted(pairs, key=lambda pair: len(pair[0]), reverse=True))


def _hint(prepared: PreparedRelease, kind: str, key: str, value: Mapping[str, object]) -> str:
    """Return what the maintainer has to do about the changed file of one config or secret.

    An example: "nginx.conf changed, but NGINX_VERSION is still v1: raise it in abra.sh". `key` and `value` are its name
    and its fields in the compose file. `kind` is "configs" or "secrets".
    """
    file = Path(str(value["file"]))
    shown = file.relative_to(prepared.checkout) if file.is_relative_to(prepared.checkout) else file
    versions = [f"{name} is still {prepared.settings.get(name, '')}" for name in _versions(prepared, kind, key)]
    if not versions:
        return f"{shown} changed, and {kind[:-1]} {key} has no version in its name: give it one, and raise it each time"
    return f"{shown} changed, but {' and '.join(versions)}: raise it in {SHELL}"


def _versions(prepared: PreparedRelease, kind: str, key: str) -> tuple[str, ...]:
    """Return the variables that give the config or secret `key` its version: the variables in its declared `name`.

    STACK_NAME is left out. If several compose files declare a `name`, the last one counts. `kind` is "configs" or
    "secrets".
    """
    names: list[str] = []
    for file in prepared.compose:
        try:
            full_name = value_at(file.read_text("utf-8"), kind, key, "name")
        except (OSError, ValueError):
            continue
        names = _VARIABLE.findall(full_name) if full_name else names
    return tuple(name for name in dict.fromkeys(names) if name != "STACK_NAME")
