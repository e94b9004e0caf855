"""Reads a Co-op Cloud recipe: its .env.sample, what its abra.sh exports, and which compose files it has."""

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
# An indented line is part of a function or an `if`. It is not certain that the shell would execute it.
_INDENTED = re.compile(r"^[ \t]+\S.*$", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@frozen
class SwarmRecipe:
    """One release of a recipe.

    * `sample`, `text`: the .env.sample for the deployment, parsed and as text. In an upgrade, it is the .env.sample of
      the last deployment, to which the settings that are new in the release are appended.
    * `exports`: the constants that its abra.sh exports, mostly versions of configs.
    * `added`: the names of the appended settings.
    * `comments`: for each setting, the comment after it. In an upgrade, the comment in the new release counts.
    """

    sample: Sample
    exports: Mapping[str, str]
    text: str = ""
    added: tuple[str, ...] = ()
    comments: Mapping[str, str] = field(factory=dict, eq=False)


def read_recipe(checkout: Path, before: str = "") -> SwarmRecipe:
    """Read the release in the folder `checkout`. Return what its files declare.

    `before` is the text of the .env.sample of the app's last deployment. The settings in it keep their values. Settings
    that are new in the release are appended. For a new app, `before` is "", and the release's own .env.sample is used
    as it is. Raise RecipeError if the release is not a Co-op Cloud recipe.
    """
    if read_text(checkout / COMPOSE) is None:
        raise RecipeError(f"the release has no {COMPOSE}", "the swarm driver deploys recipes in Co-op Cloud's format")
    own = read_text(checkout / SAMPLE) or ""
    text, added = merge_env_sample(before, own) if before else (own, ())
    exports = dict(parse_exports(read_text(checkout / SHELL) or ""))
    sample, fresh = (parse_sample(one, DEFAULT_SECRET_LENGTH, reserved=()) for one in (text, own))
    return SwarmRecipe(sample, exports, text, added, {**sample.comments, **fresh.comments})


def parse_exports(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each constant that a shell script exports. `text` is the script, which is not run.

    Values that only a shell could compute are left out.
    """
    for _, line in content_lines(SHELL, _INDENTED.sub("", text)):
        match = _EXPORT.fullmatch(line)
        if match is not None:
            yield match[1], next(value for value in match.groups()[1:] if value is not None)


def deployment_variables(
    recipe: SwarmRecipe, settings: Mapping[str, str], ours: Mapping[str, str]
) -> Mapping[str, str]:
    """Return all variables of a deployment, with their values.

    The variables come from four sources, in this order: the .env.sample, the `settings` that the fleet declares, the
    exports of abra.sh, and Canon's own variables (`ours`). If several sources have a variable, the last one counts.
    """
    versions = {version_setting(name): version for name, version in recipe.sample.versions.items()}
    expanded = _expanded(recipe.sample.assigned, {**settings, **ours})
    return {**versions, **expanded, **settings, **recipe.exports, **ours}


def _expanded(assigned: Sequence[SampleLine], fixed: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings of the lines `assigned`. Each `$NAME` in a value is replaced by the value of NAME.

    The value of NAME comes from `fixed` or, if `fixed` lacks NAME, from an earlier line. If there is no such line,
    `$NAME` stays. Values in single quotes stay as they are. A setting that is in `fixed` has the value there.
    """
    known: dict[str, str] = {"COMPOSE_FILE": COMPOSE, **fixed}
    for line in assigned:
        value = line.value if line.literal else _filled_in(line.value, known)
        known[line.name] = fixed.get(line.name, value)
    return {line.name: known[line.name] for line in assigned}


def _filled_in(value: str, known: Mapping[str, str]) -> str:
    """Return `value` with `known[NAME]` for each `$NAME` and `${NAME}`. Names not in `known` stay as they are."""
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), value)


def compose_files(settings: Mapping[str, str], checkout: Path) -> tuple[Path, ...]:
    """Return the paths of the compose files that the setting COMPOSE_FILE names.

    Raise RecipeError if one of them is not a file, or is outside of the checkout.
    """
    names = [name for name in settings.get("COMPOSE_FILE", COMPOSE).split(":") if name]
    for name in names:
        check_inside(checkout, checkout / name, f"COMPOSE_FILE names {name}")
    return tuple(checkout / name for name in names)


def check_inside(checkout: Path, path: Path, what: str) -> None:
    """Raise RecipeError if `path`, which the release names, is not a file in the folder `checkout`.

    `what` begins the message, such as "COMPOSE_FILE names compose.db.yml".
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
