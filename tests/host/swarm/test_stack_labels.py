import pytest
from attrs import evolve
from hypothesis import event, given

from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.stack import (
    ADDRESS,
    COMMIT,
    PEER,
    SLOT,
    Endpoint,
    merged_compose,
    overlay_compose,
)
from tests.host.swarm.drawn_configs import DOORS, MARK, PROXIED, PUBLISHED, RELEASE, STACK, config, configs, filled_in


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


def test_other_apps_of_the_slot_get_the_name_and_the_port_that_a_proxy_would_use() -> None:
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


def test_traefik_is_enabled_only_for_an_app_behind_the_proxy() -> None:
    asked = {"traefik.enable": "true", "traefik.http.routers.notes.rule": "Host(`notes.example.org`)"}
    told: Config = {"version": "3.8", "services": {name: {"deploy": {"labels": asked}} for name in ("app", "api")}}
    for endpoint, enabled in ((PUBLISHED, "false"), (Endpoint("127.0.0.1:64738", ""), "false"), (PROXIED, "true")):
        for service in merged_compose(told, STACK, RELEASE, endpoint)["services"].values():
            assert service["deploy"]["labels"]["traefik.enable"] == enabled


def test_our_marks_are_labels_of_services_and_never_of_containers() -> None:
    laid = overlay_compose(config(), STACK, RELEASE, PUBLISHED)["services"]["app"]
    assert "labels" not in laid


def test_a_published_port_is_of_the_node_and_its_old_task_stops_first() -> None:
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
def test_the_version_in_the_name_of_a_config_or_secret_is_kept(kind: str, name: str | None, own: str) -> None:
    told = {**config(), kind: {"entry": {"file": "/c/entry", **({"name": name} if name else {})}}}
    assert overlay_compose(told, STACK, RELEASE, PROXIED)[kind]["entry"]["name"] == own


@pytest.mark.parametrize("kind", ["volumes", "networks"])
def test_a_fixed_name_of_a_volume_or_network_is_replaced_by_one_of_the_slot(kind: str) -> None:
    told = {**config(), kind: {"data": {"name": "shared"}}}
    assert overlay_compose(told, STACK, RELEASE, PROXIED)[kind]["data"]["name"] == "notes-1234abcd_data"


def test_the_overlay_has_the_same_version_as_the_recipes_compose_files() -> None:
    assert overlay_compose({**config(), "version": "3.13"}, STACK, RELEASE, PROXIED)["version"] == "3.13"
