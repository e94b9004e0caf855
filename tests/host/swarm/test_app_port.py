"""Tests which service and port of a recipe are chosen as the app's."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.swarm.recipe.app_port import AppPort, find_app_port, misplaced_port_label
from reconciler.host.swarm.recipe.compose import Config

SERVER = "traefik.http.services.notes.loadbalancer.server.port"
TCP, UDP = SERVER.replace("http", "tcp"), SERVER.replace("http", "udp")
ADMIN = SERVER.replace("notes", "notes-admin")
NETWORKS = {
    "proxy": {"name": "proxy", "external": True},
    "inner": {"internal": True},
    "plain": {},
}


def service(*networks: str, ports: list[Config] | None = None, **labels: str) -> Config:
    """Return a config as `docker stack config` prints it."""
    told = {"image": "nginx:1", "deploy": {"labels": {name.replace("__", "."): said for name, said in labels.items()}}}
    return {**told, **({"networks": dict.fromkeys(networks)} if networks else {}), "ports": ports or []}


def recipe(**services: Config) -> Config:
    return {"version": "3.8", "services": services, "networks": NETWORKS}


def port(published: int, target: int = 80, protocol: str = "tcp", mode: str = "ingress") -> Config:
    return {"mode": mode, "target": target, "published": published, "protocol": protocol}


def labelled(labels: Mapping[str, str], *networks: str, ports: list[Config] | None = None) -> Config:
    return {**service(*networks, ports=ports), "deploy": {"labels": labels}}


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ({}, None),
        ({SERVER: "80"}, 80),
        ({TCP: "64738"}, 64738),
        ({TCP: "64738", UDP: "64739"}, 64738),
        ({UDP: "64739", SERVER: "80"}, 80),
        ({"traefik.enable": "true", "traefik.http.routers.notes.rule": "Host(`x`)", SERVER: "3000"}, 3000),
        ({SERVER.replace("loadbalancer", "loadBalancer"): "80"}, 80),
        ({SERVER: "${PORT}"}, None),
        ({SERVER: ""}, None),
        ({SERVER.replace("port", "scheme"): "443"}, None),
        ({ADMIN: "9000", SERVER: "80"}, 80),
        ({ADMIN: "9000", ADMIN.replace("admin", "api"): "9001"}, 9000),
    ],
)
def test_the_port_is_the_one_to_which_labels_let_a_proxy_lead(labels: Mapping[str, str], target: int | None) -> None:
    way = find_app_port(recipe(app=labelled(labels)), "notes")
    assert (way.target if way else None) == target


@pytest.mark.parametrize(
    ("services", "found"),
    [
        # A back end behind a web server, which alone is on the proxy's network.
        ({"app": service("inner"), "web": labelled({SERVER: "80"}, "inner", "proxy")}, "web"),
        ({"app": labelled({SERVER: "9000"}, "inner"), "web": labelled({ADMIN: "80"}, "inner", "proxy")}, "web"),
        ({"app": labelled({SERVER: "80"}, "plain"), "web": labelled({SERVER: "80"}, "proxy")}, "web"),
        # The stack's own name goes before the service that Co-op Cloud names.
        ({"app": labelled({ADMIN: "80"}, "proxy"), "web": labelled({SERVER: "80"}, "proxy")}, "web"),
        ({"web": labelled({ADMIN: "80"}, "proxy"), "app": labelled({ADMIN: "80"}, "proxy")}, "app"),
        ({"web": labelled({UDP: "53"}, "proxy"), "app": labelled({ADMIN: "80"}, "proxy")}, "app"),
        ({"web": labelled({SERVER: "80", "traefik.enable": "false"}), "app": labelled({ADMIN: "80"})}, "app"),
        ({"app": service(), "web": service(ports=[port(8080)])}, "web"),
        ({"web": service(ports=[port(8080)]), "app": service(ports=[port(8081)])}, "app"),
        # A label goes before a port that only is published.
        ({"app": service(ports=[port(5432)]), "web": labelled({SERVER: "80"}, "proxy")}, "web"),
    ],
)
def test_the_apps_port_is_that_of_a_service_with_the_label_that_can_be_reached(
    services: Mapping[str, Config], found: str
) -> None:
    way = find_app_port(recipe(**services), "notes")
    assert way is not None
    assert way.service == found


@pytest.mark.parametrize(
    "app",
    [
        labelled({SERVER: "80"}, "inner"),
        labelled({SERVER: "80"}, "shut"),
        service("inner", ports=[port(8080, mode="host")]),
        labelled({SERVER: "80"}, "inner", ports=[port(8080, mode="host")]),
    ],
)
def test_an_app_with_a_port_that_is_only_on_internal_networks_is_refused(app: Config) -> None:
    config = recipe(app=app, db=service("inner"))
    config = {**config, "networks": {**NETWORKS, "shut": {"external": True}}}
    with pytest.raises(RecipeError, match="nobody can reach app: it names a port, and is on internal networks alone"):
        find_app_port(config, "notes", closed={"shut"})


def test_a_port_that_all_nodes_publish_can_be_reached_although_the_network_is_internal() -> None:
    app = service("inner", ports=[port(8080)])
    assert find_app_port(recipe(app=app), "notes") == AppPort("app", 80, 8080)


def test_a_published_port_is_used_if_it_leads_to_the_port_in_the_label() -> None:
    app = labelled({SERVER: "80"}, ports=[port(53, protocol="udp"), port(9000, target=90), port(8080)])
    assert find_app_port(recipe(app=app), "notes") == AppPort("app", 80, 8080, "http", "notes")
    app = labelled({SERVER: "80"}, ports=[port(9000, target=90)])
    assert find_app_port(recipe(app=app), "notes") == AppPort("app", 80, None, "http", "notes")
    assert find_app_port(recipe(app=service(ports=[port(64738, protocol="udp"), {"target": 80}])), "notes") is None


def test_a_udp_port_is_used_if_the_label_is_of_udp() -> None:
    way = find_app_port(recipe(app=labelled({UDP: "53"}, ports=[port(53, target=53), port(5353, 53, "udp")])), "notes")
    assert way == AppPort("app", 53, 5353, "udp", "notes")
    assert way.protocol == "udp"


def test_a_port_label_on_a_container_is_ignored_and_reported() -> None:
    config = recipe(app=service(), web={**service(), "labels": {SERVER: "80"}})
    assert find_app_port(config, "notes") is None
    assert misplaced_port_label(config) == "web"
    assert misplaced_port_label(recipe(app=labelled({SERVER: "80"}))) == ""


LABELS = st.dictionaries(st.sampled_from([SERVER, ADMIN, TCP, UDP]), st.sampled_from(["80", "81", "x"]), max_size=3)
SERVICES = st.builds(
    lambda labels, networks, ports: labelled(labels, *networks, ports=ports),
    LABELS,
    st.lists(st.sampled_from(["proxy", "inner", "plain"]), unique=True),
    st.lists(st.builds(port, st.integers(1, 9), st.just(80), st.sampled_from(["tcp", "udp"])), max_size=2),
)


@given(st.dictionaries(st.sampled_from(["web", "api", "db"]), SERVICES, max_size=3), SERVICES)
def test_the_apps_port_is_always_one_that_the_recipe_names(others: Mapping[str, Config], app: Config) -> None:
    config = recipe(**others, app=app)
    try:
        way = find_app_port(config, "notes")
    except RecipeError:
        return
    named = [
        (name, label.split(".")[1], said)
        for name, one in config["services"].items()
        for label, said in one["deploy"]["labels"].items()
        if said.isdecimal()
    ]
    published = [(name, one) for name, one in config["services"].items() for one in one["ports"]]
    if way is None:
        assert not named
        assert all(one["protocol"] == "udp" for _, one in published)
    elif named:
        assert (way.service, way.kind, str(way.target)) in named
    else:
        assert (way.service, way.published) in [(name, one["published"]) for name, one in published]
