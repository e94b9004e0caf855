"""Reads a Co-op Cloud recipe: its .env.sample, the exports of its abra.sh, and the names of its compose files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from desired.unprintable import escape_unprintable
from reconciler.errors import RecipeError
from reconciler.host.lines import content_lines, read_text
from reconciler.host.sample import SAMPLE, Sample, SampleLine, merge_env_sample, parse_sample, version_setting

COMPOSE = "compose.yml"
SHELL = "abra.sh"
# In characters. abra makes a secret of this length if its line sets none.
DEFAULT_SECRET_LENGTH = 32

_EXPORT = re.compile(
    r"export\s+([A-Za-z_][A-Za-z0-9_]*)="
    r"""(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"$`\\#;&|<>()~]*))(?:\s+#.*)?"""
)
# An indented line belongs to a function or an `if`, and may never be executed.
_INDENTED = re.compile(r"^[ \t]+\S.*$", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@frozen
class SwarmRecipe:
    """One release. `exports` are the constants that its abra.sh exports, mostly versions of configs.

    `text` is the .env.sample that `sample` was parsed from. `added` are its settings that are new in an upgrade.
    `comments` has the comment behind each setting; a comment of the new release replaces the old one.
    """

    sample: Sample
    exports: Mapping[str, str]
    text: str = ""
    added: tuple[str, ...] = ()
    comments: Mapping[str, str] = field(factory=dict, eq=False)


def read_recipe(checkout: Path, before: str = "") -> SwarmRecipe:
    """Read the release in `checkout` for an app that was deployed with the .env.sample `before`, "" for a new app.

    Raises RecipeError if the release is not a Co-op Cloud recipe.
    """
    if read_text(checkout / COMPOSE) is None:
        raise RecipeError(f"the release has no {COMPOSE}", "the swarm driver deploys recipes in Co-op Cloud's format")
    own = read_text(checkout / SAMPLE) or ""
    text, added = merge_env_sample(before, own) if before else (own, ())
    exports = dict(parse_exports(read_text(checkout / SHELL) or ""))
    sample, fresh = (parse_sample(each, DEFAULT_SECRET_LENGTH, reserved=()) for each in (text, own))
    return SwarmRecipe(sample, exports, text, added, {**sample.comments, **fresh.comments})


def parse_exports(text: str) -> Iterator[tuple[str, str]]:
    """Yield the exported constants of a shell file. Does not execute it: leaves out values that need a shell."""
    for _, line in content_lines(SHELL, _INDENTED.sub("", text)):
        match = _EXPORT.fullmatch(line)
        if match is not None:
            yield match[1], next(value for value in match.groups()[1:] if value is not None)


def deployment_variables(recipe: SwarmRecipe, given: Mapping[str, str], ours: Mapping[str, str]) -> Mapping[str, str]:
    """Return all variables of a deployment.

    Later sources override earlier ones: the .env.sample, the `given` settings, the exports of abra.sh, and `ours`.
    """
    versions = {version_setting(name): version for name, version in recipe.sample.versions.items()}
    return {**versions, **_expanded(recipe.sample.assigned, {**given, **ours}), **given, **recipe.exports, **ours}


def _expanded(assigned: Sequence[SampleLine], fixed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings of the sample, with `$NAME` replaced where NAME is fixed or set on an earlier line.

    A `fixed` setting replaces the value in the sample, also where other settings refer to it.
    """
    known: dict[str, str] = {"COMPOSE_FILE": COMPOSE, **fixed}
    for line in assigned:
        value = line.value if line.literal else _filled_in(line.value, known)
        known[line.name] = fixed.get(line.name, value)
    return {line.name: known[line.name] for line in assigned}


def _filled_in(value: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), value)


def compose_files(settings: Mapping[str, str], checkout: Path) -> tuple[Path, ...]:
    """Return the files that COMPOSE_FILE names. Raises RecipeError for one outside the checkout, or that is no file."""
    names = [name for name in settings.get("COMPOSE_FILE", COMPOSE).split(":") if name]
    for name in names:
        check_inside(checkout, checkout / name, f"COMPOSE_FILE names {name}")
    return tuple(checkout / name for name in names)


def check_inside(checkout: Path, path: Path, what: str) -> None:
    """Raise RecipeError if a path that the release names is outside `checkout` or is not a file.

    `what` is the beginning of the message, such as "COMPOSE_FILE names compose.db.yml".
    """
    what = escape_unprintable(what)
    try:
        leads_to = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # such as a circle of links, or a NUL byte
        raise RecipeError(f"{what}, which the release does not have") from None
    if not leads_to.is_relative_to(checkout.resolve()):
        raise RecipeError(f"{what}, which is not within the release")
    if not leads_to.is_file():
        raise RecipeError(f"{what}, which is no file")
