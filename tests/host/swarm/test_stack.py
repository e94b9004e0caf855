import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.stack import (
    ADDRESS,
    COMMIT,
    PEER,
    SLOT,
    ComposeRelease,
    Endpoint,
    Stack,
    merged_compose,
    overlay_compose,
    stack_of,
)
from reconciler.ports.app import App

MARK = "/state/work/notes/slot"
STACK = Stack("notes-1234abcd", "notes", MARK, "notes.localhost")
RELEASE = ComposeRelease("1.2.0+4.5", "c" * 40, {"TITLE": "costs $5", "A": "given"})
PROXIED = Endpoint("127.0.0.1:80", "http://notes.localhost", proxied=True)
PUBLISHED = Endpoint("127.0.0.1:24000", "http://127.0.0.1:24000", 80, 24000)


def config(**app: object) -> Config:
    """Return a config as `docker stack config` prints it."""
    return {"version": "3.8", "services": {"app": {"image": "nginx:1", **app}}}


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


def test_an_object_is_called_by_the_recipe_as_before_it_was_deployed() -> None:
    assert STACK.app == "notes-1234abcd_app"
    assert STACK.logical(STACK.app) == "app"
    assert STACK.logical("notes-1234abcd_a_b") == "a_b"
    assert STACK.logical("proxy") == "proxy"
    assert STACK.label("version") == "coop-cloud.notes-1234abcd.version"


# ---- what is laid over it ----

WORDS = st.sampled_from(["a", "b$c", "$", "$$x", "notes"])
LABELS = st.dictionaries(WORDS, WORDS, max_size=2)
OWN = st.fixed_dictionaries({}, optional={"labels": LABELS, "name": WORDS, "driver": WORDS})
MADE = {
    "volumes": OWN,
    "networks": st.fixed_dictionaries({}, optional={"internal": st.just(value=True), "name": WORDS, "labels": LABELS}),
    "configs": st.fixed_dictionaries(
        {"file": WORDS}, optional={"name": WORDS | st.just("notes-1234abcd_entry_v1"), "template_driver": WORDS}
    ),
    "secrets": st.fixed_dictionaries({"file": WORDS}, optional={"name": WORDS, "labels": LABELS}),
}
EXTERNAL = st.fixed_dictionaries({"external": st.just(value=True), "name": WORDS})
SERVICES = st.fixed_dictionaries(
    {"image": st.just("nginx:1")},
    optional={
        "environment": st.dictionaries(st.sampled_from(["TITLE", "A", "B"]), st.none() | WORDS),
        "networks": st.dictionaries(st.sampled_from(["default", "internal", "proxy"]), st.none(), max_size=2),
        "deploy": st.fixed_dictionaries({"labels": LABELS}),
    },
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Draw recipes with values at every place that Canon's additions change."""
    names = st.sampled_from(["default", "internal", "data"])
    told: dict[str, Any] = {"version": "3.8", "services": draw(st.dictionaries(st.just("db"), SERVICES))}
    told["services"]["app"] = draw(SERVICES)
    for kind in draw(st.lists(st.sampled_from([*MADE]), min_size=1, unique=True)):
        some = MADE[kind] | (st.none() if kind == "volumes" else EXTERNAL) | EXTERNAL
        told[kind] = draw(st.dictionaries(names, some, min_size=1))
    return told


DOORS = st.sampled_from([PROXIED, PUBLISHED])


def filled_in(part: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """What Docker makes of a file in which every `$` was doubled; a single one would be a variable."""
    if isinstance(part, Mapping):
        return {name: filled_in(value) for name, value in part.items()}
    if isinstance(part, list):
        return [filled_in(value) for value in part]
    if isinstance(part, str):
        assert "$" not in part.replace("$$", "")
        return part.replace("$$", "$")
    return part


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


@given(configs(), DOORS)
def test_the_app_gets_every_setting_that_it_does_not_name_and_no_other_service_gets_one(
    config: Config, endpoint: Endpoint
) -> None:
    laid = filled_in(overlay_compose(config, STACK, RELEASE, endpoint))
    assert laid["services"].keys() == config["services"].keys()
    for name, service in laid["services"].items():
        labels = service["deploy"]["labels"]
        assert (labels[SLOT], labels[COMMIT]) == (MARK, RELEASE.commit)
        if name != "app":
            assert set(service) == {"deploy"}
            continue
        theirs = config["services"][name].get("environment") or {}
        assert not service["environment"].keys() & theirs.keys()
        assert {**RELEASE.settings, **theirs} == {**service["environment"], **theirs}
        assert {"environment", "deploy"} <= set(service) <= {"environment", "deploy", "ports"}


@given(configs(), DOORS)
def test_the_network_of_services_that_name_none_is_marked_where_docker_makes_it(
    config: Config, endpoint: Endpoint
) -> None:
    laid = overlay_compose(config, STACK, RELEASE, endpoint)["networks"]
    declared = "default" in (config.get("networks") or {})
    needed = any(not service.get("networks") for service in config["services"].values())
    event(f"declared: {declared}, needed: {needed}")
    if not declared:
        assert ("default" in laid) == needed


def test_the_labels_of_the_app_are_those_that_co_op_clouds_commands_look_for() -> None:
    told: Config = {"version": "3.8", "services": {"app": {}, "db": {}}}
    services = overlay_compose(told, STACK, RELEASE, PROXIED)["services"]
    assert services["db"]["deploy"]["labels"] == {SLOT: MARK, COMMIT: "c" * 40}
    assert services["app"]["deploy"]["labels"] == {
        SLOT: MARK,
        COMMIT: "c" * 40,
        ADDRESS: "127.0.0.1:80 http://notes.localhost",
        "coop-cloud.notes-1234abcd.recipe": "notes",
        "coop-cloud.notes-1234abcd.version": "1.2.0+4.5",
        "coop-cloud.notes-1234abcd.chaos": "false",
    }


def test_other_apps_of_the_slot_are_told_the_name_and_the_port_that_a_proxy_would_take() -> None:
    told: Config = {"version": "3.8", "services": {"app": {}, "web": {}}}
    for service in ("app", "web"):
        services = overlay_compose(told, STACK, RELEASE, evolve(PUBLISHED, target=8080, service=service))["services"]
        assert services["app"]["deploy"]["labels"][PEER] == f"notes-1234abcd_{service}:8080"
        assert PEER not in services["web"]["deploy"]["labels"]


def test_a_port_is_published_by_the_service_that_listens_there_and_the_apps_labels_tell_of_it() -> None:
    told: Config = {"version": "3.8", "services": {"app": {}, "web": {}}}
    services = overlay_compose(told, STACK, RELEASE, evolve(PUBLISHED, service="web"))["services"]
    assert services["web"]["ports"] == [{"target": 80, "published": 24000, "mode": "host"}]
    assert services["web"]["deploy"]["update_config"] == {"order": "stop-first"}
    assert "ports" not in services["app"]
    assert services["app"]["deploy"]["labels"][ADDRESS] == "127.0.0.1:24000 http://127.0.0.1:24000"
    assert ADDRESS not in services["web"]["deploy"]["labels"]
    services = overlay_compose(told, STACK, RELEASE, evolve(PUBLISHED, protocol="udp"))["services"]
    assert services["app"]["ports"] == [{"target": 80, "published": 24000, "mode": "host", "protocol": "udp"}]


def test_an_app_that_listens_nowhere_has_no_address() -> None:
    services = overlay_compose(config(), STACK, RELEASE, Endpoint())["services"]
    assert "ports" not in services["app"]
    assert not services["app"]["deploy"]["labels"].keys() & {ADDRESS, PEER}


def test_no_proxy_of_this_host_leads_visitors_to_what_is_only_tried() -> None:
    asked = {"traefik.enable": "true", "traefik.http.routers.notes.rule": "Host(`notes.example.org`)"}
    told: Config = {"version": "3.8", "services": {name: {"deploy": {"labels": asked}} for name in ("app", "api")}}
    for endpoint, enabled in ((PUBLISHED, "false"), (Endpoint("127.0.0.1:64738", ""), "false"), (PROXIED, "true")):
        for service in merged_compose(told, STACK, RELEASE, endpoint)["services"].values():
            assert service["deploy"]["labels"]["traefik.enable"] == enabled


def test_our_marks_are_labels_of_services_and_never_of_containers() -> None:
    laid = overlay_compose(config(), STACK, RELEASE, PUBLISHED)["services"]["app"]
    assert "labels" not in laid


def test_a_published_port_lets_no_two_tasks_wait_for_each_other() -> None:
    told: Config = {"version": "3.8", "services": {"app": {}, "db": {}}}
    services = overlay_compose(told, STACK, RELEASE, PUBLISHED)["services"]
    assert services["app"]["ports"] == [{"target": 80, "published": 24000, "mode": "host"}]
    assert services["app"]["deploy"]["update_config"] == {"order": "stop-first"}
    assert "ports" not in services["db"]
    assert "ports" not in overlay_compose(told, STACK, RELEASE, PROXIED)["services"]["app"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (None, "notes-1234abcd_entry"),
        ("notes-1234abcd_entry_v3", "notes-1234abcd_entry_v3"),
        ("entry_v3", "notes-1234abcd_entry_v3"),
    ],
)
@pytest.mark.parametrize("kind", ["configs", "secrets"])
def test_the_version_in_a_configs_or_secrets_name_stays(kind: str, name: str | None, own: str) -> None:
    told = {**config(), kind: {"entry": {"file": "/c/entry", **({"name": name} if name else {})}}}
    assert overlay_compose(told, STACK, RELEASE, PROXIED)[kind]["entry"]["name"] == own


@pytest.mark.parametrize("kind", ["volumes", "networks"])
def test_a_fixed_name_becomes_the_slots_own(kind: str) -> None:
    told = {**config(), kind: {"data": {"name": "shared"}}}
    assert overlay_compose(told, STACK, RELEASE, PROXIED)[kind]["data"]["name"] == "notes-1234abcd_data"


def test_the_overlay_is_of_the_version_of_the_recipes_files_which_docker_demands() -> None:
    assert overlay_compose({**config(), "version": "3.13"}, STACK, RELEASE, PROXIED)["version"] == "3.13"


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


def test_the_ports_of_both_are_published() -> None:
    made = merged_compose(
        config(ports=[{"target": 80, "published": 64738, "protocol": "udp"}]), STACK, RELEASE, PUBLISHED
    )
    assert [one["published"] for one in made["services"]["app"]["ports"]] == [64738, 24000]
