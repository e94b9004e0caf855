"""Computes the digest of all that a verdict on a recipe depends on, besides its release: its tests and its needs."""

from collections.abc import Iterable, Mapping

from attrs import evolve

from desired.digest import declaration_digest, json_digest
from desired.model import Recipe
from desired.releases import Release, Unobservable
from reconciler.core.needs import apps_of
from reconciler.core.observation import Observation
from reconciler.core.wanted_release import need_releases, want_of
from state.records import Canonical


def tests_digest(files: str, declared: Mapping[str, str], needs: Mapping[str, str]) -> str:
    """Return the digest of what the fleet and other recipes contribute to a verdict on a recipe.

    * `files`: the digest of the files in the fleet folders of the recipe and of each need, without `recipe.toml`.
    * `declared`: the digests of the declarations of the recipe and of each need, with defaults, by name.
    * `needs`: the commit of the release that is deployed of each need, by name; "" if there is none.

    A need is every recipe that the recipe needs, also by way of other needs.
    """
    return json_digest({"declared": declared, "files": files, "needs": needs})


def with_tests(
    observations: Mapping[str, Observation],
    unselected: Mapping[str, Observation],
    recipes: Mapping[str, Recipe],
    canonicals: Mapping[str, Canonical],
) -> dict[str, Observation]:
    """Return `observations` with the digests of the tests that a trial of each recipe would have now.

    If the files of a recipe's tests could not be read, its digest is "".

    * `unselected`: observations of needed recipes that are not in `observations`.
    * `recipes`: all recipes of the fleet, by name.
    * `canonicals`: all canonicals, by recipe.
    """
    apps = {name: apps_of(seen.recipe, recipes) for name, seen in observations.items()}
    every = frozenset[str]().union(*apps.values())
    declared = {name: declaration_digest(recipes[name]) for name in every}
    commits = _commits({**unselected, **observations}, every, canonicals)
    return {
        name: evolve(seen, tests=_digest(seen, apps[name], declared, commits)) for name, seen in observations.items()
    }


def _digest(
    observation: Observation, apps: Iterable[str], declared: Mapping[str, str], commits: Mapping[str, str]
) -> str:
    """Return the digest of the tests of the observed recipe; "" if their files could not be read.

    `apps` are the names of the recipe and its needs. `declared` and `commits` have these and others, by name.
    """
    if not observation.files:
        return ""
    needs = {name: commits[name] for name in apps if name != observation.recipe.name}
    return tests_digest(observation.test_files, {name: declared[name] for name in apps}, needs)


def _commits(
    observations: Mapping[str, Observation], names: Iterable[str], canonicals: Mapping[str, Canonical]
) -> dict[str, str]:
    """Return for each of `names` the commit of the release that is deployed when a recipe needs it; "" for none."""
    # What a canonical's upstream wants has no effect here, so it is not asked.
    open_needs = {
        name: _as_last_seen(observations[name]) for name in names if name in observations and name not in canonicals
    }
    releases: Mapping[str, Release | None] = need_releases(canonicals, open_needs)
    found = {name: releases.get(name) for name in names}
    return {name: release.commit if release is not None else "" for name, release in found.items()}


def _as_last_seen(observation: Observation) -> Observation:
    """Return the observation with the last recorded answer of upstream, if upstream cannot be observed now.

    An upstream that cannot be observed is no changed need: while it cannot, nothing that needs it is tried.
    """
    recorded = observation.memory.answer
    if recorded is None or not isinstance(want_of(observation), Unobservable):
        return observation
    return evolve(observation, answer=recorded)
