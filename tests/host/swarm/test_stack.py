import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.stack import (
    SLOT,
    Endpoint,
    merged_compose,
    overlay_compose,
    stack_of,
)
from reconciler.ports.app import App
from tests.host.swarm.drawn_configs import DOORS, MADE, MARK, PUBLISHED, RELEASE, STACK, config, configs, filled_in

# ---- names ----


def test_a_stack_is_named_for_its_recipe_and_slot_and_its_domain_for_the_recipe_alone() -> None:
    one, two = (stack_of(App("notes", Path("/w/x"), mark), "ci.localhost") for mark in ("/w/one", "/w/two"))
    assert one.name.startswith("notes-")
    assert one.name != two.name
    assert one.domain == two.domain == "notes.ci.localhost"
    assert one.mark == "/w/one"
    assert one == stack_of(App("notes", Path("/w/y"), "/w/one"), "ci.localhost")
    assert one.name != stack_of(App("other", Path("/w/x"), "/w/one"), "ci.localhost").name


RECIPES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)


@given(RECIPES, st.text())
def test_every_name_of_a_stack_is_one_that_swarm_takes_and_leaves_room(recipe: str, mark: str) -> None:
    name = stack_of(App(recipe, Path("/w"), mark), "localhost").name
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
    assert len(name) <= 63 - len("_") - 32


def test_the_stacks_prefix_is_removed_from_the_name_of_an_object() -> None:
    assert STACK.app == "notes-1234abcd_app"
    assert STACK.logical(STACK.app) == "app"
    assert STACK.logical("notes-1234abcd_a_b") == "a_b"
    assert STACK.logical("proxy") == "proxy"
    assert STACK.label("version") == "coop-cloud.notes-1234abcd.version"


@given(configs(), DOORS)
def test_every_object_that_a_recipe_makes_bears_our_mark_and_a_name_of_the_slots_own(
    config: Config, endpoint: Endpoint
) -> None:
    laid = filled_in(overlay_compose(config, STACK, RELEASE, endpoint))
    for kind in MADE:
        made = {name for name, value in (config.get(kind) or {}).items() if not (value or {}).get("external")}
        assert made <= laid[kind].keys() <= made | {"default"}
        event(f"{kind}: {min(len(made), 2)}")
        names = [laid[kind][name].get("name", "notes-1234abcd_default") for name in laid[kind]]
        assert all(name.startswith("notes-1234abcd_") for name in names)
        assert all(one["labels"][SLOT] == MARK for one in laid[kind].values())


@given(configs(), DOORS)
def test_nothing_that_a_recipe_says_of_its_objects_is_lost(config: Config, endpoint: Endpoint) -> None:
    """Merge as Docker does: a later file replaces a whole object."""
    laid = filled_in(overlay_compose(config, STACK, RELEASE, endpoint))
    for kind in MADE:
        for name, value in (config.get(kind) or {}).items():
            if not (value or {}).get("external"):
                said = {**(value or {}), "name": laid[kind][name]["name"], "labels": laid[kind][name]["labels"]}
                assert laid[kind][name] == said
                assert said["labels"] == {**((value or {}).get("labels") or {}), SLOT: MARK}
            elif laid[kind].get(name):
                pytest.fail(f"{kind} {name} is external, and nothing may be said of it")


# ---- the one file that is deployed ----


def contains(part: Any, other: Any) -> bool:  # noqa: ANN401 - any parts of a compose file
    """Whether `part` contains everything in `other`."""
    if isinstance(other, Mapping):
        return isinstance(part, Mapping) and all(key in part and contains(part[key], other[key]) for key in other)
    if isinstance(other, list):
        return all(one in part for one in other)
    return bool(part == other)


@given(configs(), DOORS)
def test_the_file_that_is_deployed_says_all_that_the_recipe_says_and_all_that_is_laid_over(
    config: Config, endpoint: Endpoint
) -> None:
    made, laid = (filled_in(one(config, STACK, RELEASE, endpoint)) for one in (merged_compose, overlay_compose))
    assert contains(made, laid)
    for kind, names in config.items():
        for name, value in names.items() if isinstance(names, Mapping) else ():
            ours = {"name", "labels"} if kind in MADE and not (value or {}).get("external") else set()
            assert contains(
                made[kind][name] or {}, {key: said for key, said in (value or {}).items() if key not in ours}
            )


def test_a_port_of_the_recipe_and_the_port_that_canon_adds_are_both_published() -> None:
    made = merged_compose(
        config(ports=[{"target": 80, "published": 64738, "protocol": "udp"}]), STACK, RELEASE, PUBLISHED
    )
    assert [one["published"] for one in made["services"]["app"]["ports"]] == [64738, 24000]
