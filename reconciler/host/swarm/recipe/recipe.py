"""What a Co-op Cloud recipe says of itself: its .env.sample, what its abra.sh exports, and its compose files."""

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
# Co-op Cloud's own tool makes a secret without a length too.
DEFAULT_SECRET_LENGTH = 32

_EXPORT = re.compile(
    r"export\s+([A-Za-z_][A-Za-z0-9_]*)="
    r"""(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"$`\\#;&|<>()~]*))(?:\s+#.*)?"""
)
# What is indented is part of a function or of an `if`, and may never run.
_INDENTED = re.compile(r"^[ \t]+\S.*$", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@frozen
class SwarmRecipe:
    """One release. `exports` are the constants that its abra.sh exports: versions of configs, for the most part.

    `text` is what `sample` was read from, and `added` names what of it is new to who upgrades. `comments` has what
    stands behind settings, where the release still has a line for one in its words.
    """

    sample: Sample
    exports: Mapping[str, str]
    text: str = ""
    added: tuple[str, ...] = ()
    comments: Mapping[str, str] = field(factory=dict, eq=False)


def read_recipe(checkout: Path, before: str = "") -> SwarmRecipe:
    """The release as who had the sample `before` deploys it; "" for a new deployment.

    Raises RecipeError where the release is no recipe of Co-op Cloud.
    """
    if read_text(checkout / COMPOSE) is None:
        raise RecipeError(f"the release has no {COMPOSE}", "the swarm driver deploys recipes in Co-op Cloud's format")
    own = read_text(checkout / SAMPLE) or ""
    text, added = merge_env_sample(before, own) if before else (own, ())
    exports = dict(parse_exports(read_text(checkout / SHELL) or ""))
    sample, fresh = (parse_sample(each, DEFAULT_SECRET_LENGTH, reserved=()) for each in (text, own))
    return SwarmRecipe(sample, exports, text, added, {**sample.comments, **fresh.comments})


def parse_exports(text: str) -> Iterator[tuple[str, str]]:
    """Exported constants of a shell file, which is never run: what needs a shell to be known is left out."""
    for _, line in content_lines(SHELL, _INDENTED.sub("", text)):
        match = _EXPORT.fullmatch(line)
        if match is not None:
            yield match[1], next(value for value in match.groups()[1:] if value is not None)


def deployment_variables(recipe: SwarmRecipe, given: Mapping[str, str], ours: Mapping[str, str]) -> Mapping[str, str]:
    """All variables of a deployment.

    Of several values for one name that of the later holds: the sample's, the `given` one, abra.sh's, and ours.
    """
    versions = {version_setting(name): version for name, version in recipe.sample.versions.items()}
    return {**versions, **_expanded(recipe.sample.assigned, {**given, **ours}), **given, **recipe.exports, **ours}


def _expanded(assigned: Sequence[SampleLine], fixed: Mapping[str, str]) -> Mapping[str, str]:
    """The sample's settings, with the variables in them that are known by then: the others stay as they are.

    What builds on a `fixed` one gets that value, as if it stood in the sample.
    """
    known: dict[str, str] = {"COMPOSE_FILE": COMPOSE, **fixed}
    for line in assigned:
        value = line.value if line.literal else _filled_in(line.value, known)
        known[line.name] = fixed.get(line.name, value)
    return {line.name: known[line.name] for line in assigned}


def _filled_in(value: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), value)


def compose_files(settings: Mapping[str, str], checkout: Path) -> tuple[Path, ...]:
    """The files that COMPOSE_FILE names, all of them within the checkout."""
    names = [name for name in settings.get("COMPOSE_FILE", COMPOSE).split(":") if name]
    for name in names:
        check_inside(checkout, checkout / name, f"COMPOSE_FILE names {name}")
    return tuple(checkout / name for name in names)


def check_inside(checkout: Path, path: Path, what: str) -> None:
    """Raises RecipeError where a path that the release names leads out of it, or nowhere."""
    what = escape_unprintable(what)
    try:
        leads_to = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # among them: links that lead in a circle, a NUL byte
        raise RecipeError(f"{what}, which the release does not have") from None
    if not leads_to.is_relative_to(checkout.resolve()):
        raise RecipeError(f"{what}, which is not within the release")
    if not leads_to.is_file():
        raise RecipeError(f"{what}, which is no file")
