from collections.abc import Mapping
from pathlib import Path

import pytest

from desired.model import Swarm
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.swarm.engine import engine as docker
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import RemovalResult
from tests.swarm.failing_app import LABELS
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import (
    Service,
    SwarmSlots,
    options,
    release,
    server,
    service,
)

# ---- what is refused before anything runs ----

SECRETS = {"token": {"external": True, "name": "${STACK_NAME}_token_v1"}}
REFUSED: Mapping[str, tuple[Mapping[str, Service], Mapping[str, object], type[Exception], str]] = {
    "no-tag": ({"app": server("127.0.0.1:5000/nginx:none")}, {}, RecipeError, "manifest unknown"),
    "no-image": ({"app": server("--all-tags")}, {}, RecipeError, "pull --all-tags: invalid reference format"),
    "no-registry": ({"app": server("127.0.0.1:1/nginx:1")}, {}, InfrastructureError, "connection refused"),
    "no-network": (
        {"app": server(networks=["gone"])},
        {"networks": {"gone": {"external": True}}},
        InfrastructureError,
        'network "gone" is declared as external, but could not be found',
    ),
    "outside": (
        {"app": server(volumes=["data:/data"])},
        {"volumes": {"data": {"external": True}}},
        RecipeError,
        "volume data is outside of the stack",
    ),
    "elsewhere": (
        {"app": server(volumes=["data:/data"])},
        {"volumes": {"data": {"driver_opts": {"type": "none", "o": "bind", "device": "/srv"}}}},
        RecipeError,
        "volume data is outside of the stack",
    ),
    "folder-of-the-host": (
        {"app": server(volumes=["/var:/host:ro", "/dev/shm:/fast", "/srv:/data"])},
        {},
        RecipeError,
        "folder-of-the-host: app may write to /srv of this host, which slots would share",
    ),
    "nowhere-on-the-host": (
        {"app": server(volumes=["/nowhere/at/all:/etc/zone:ro"])},
        {},
        InfrastructureError,
        "nowhere-on-the-host: app needs /nowhere/at/all of this host, which is not there",
    ),
    "socket-elsewhere": (
        {"app": server(volumes=["/nowhere/docker.sock:/var/run/docker.sock"])},
        {},
        InfrastructureError,
        "socket-elsewhere: app needs /nowhere/docker.sock of this host, which is not there",
    ),
    "config-outside": (
        {"app": server(configs=["entry"])},
        {"configs": {"entry": {"file": "../../../etc/hostname"}}},
        RecipeError,
        "config entry is made of /",
    ),
    "config-missing": (
        {"app": server(configs=["entry"])},
        {"configs": {"entry": {"file": "nowhere"}}},
        RecipeError,
        "which the release does not have",
    ),
    "secret-missing": (
        {"app": server(secrets=["token"])},
        {"secrets": SECRETS},
        RecipeError,
        "secret-missing: nothing makes the secret token_v1",
    ),
    "no-app": ({"web": server()}, {}, RecipeError, "no service app"),
    "no-port": ({"app": service("sleep 1000")}, {}, RecipeError, "no label of a service names the port"),
    "container-label": ({"app": service("sleep 1000", labels=LABELS)}, {}, RecipeError, "the port at which it listens"),
    "internal-only": (
        {"app": server(networks=["inner"]), "web": server(networks=["inner"])},
        {"networks": {"inner": {"internal": True}}},
        RecipeError,
        "internal-only: nobody can reach app, web: it names a port, and is on internal networks alone",
    ),
    "internal-port": (
        {"app": service("sleep 1000", networks=["inner"], ports=[{"target": 80, "published": 1, "mode": "host"}])},
        {"networks": {"inner": {"internal": True}}},
        RecipeError,
        "internal-port: nobody can reach app",
    ),
    "scaled-to-zero": (
        {"app": server(deploy={"replicas": 0}), "helper": server()},
        {},
        RecipeError,
        "scaled-to-zero: app is scaled to zero (deploy.replicas: 0), so it would never run",
    ),
    "front-scaled-to-zero": (
        {"app": service("sleep 1000"), "web": server(deploy={"replicas": 0})},
        {},
        RecipeError,
        "web is scaled to zero",
    ),
    "no-compose": ({"app": {"imagine": "x"}}, {}, RecipeError, "docker stack config: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_release_that_cannot_be_deployed_is_refused_by_name_and_nothing_of_it_runs(
    engine: LocalEngine, tmp_path: Path, name: str
) -> None:
    services, parts, kind, said = REFUSED[name]
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app(recipe=name)
    with pytest.raises((RecipeError, InfrastructureError)) as refusal:
        slots.driver.deploy(app, release(tmp_path / "one", services, parts), options())
    assert type(refusal.value) is kind
    assert said in refusal.value.message
    assert slots.objects(app) == {}


def test_a_sample_that_reaches_beyond_the_release_is_refused(engine: LocalEngine, tmp_path: Path) -> None:
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    sample = "COMPOSE_FILE=compose.yml:../x.yml"
    with pytest.raises(RecipeError) as refusal:
        slots.driver.deploy(app, release(tmp_path / "one", {"app": server()}, sample=sample), options())
    assert refusal.value.message == "COMPOSE_FILE names ../x.yml, which the release does not have"
    assert slots.objects(app) == {}


def test_two_apps_of_one_recipe_behind_a_proxy_are_never_up_at_the_same_time(
    engine: LocalEngine, tmp_path: Path
) -> None:
    """They would have the same name, and nobody could tell which of them answers."""
    slots = SwarmSlots.on(engine, tmp_path / "slots")
    driver = SwarmDriver(docker.Engine(slots.environment), Swarm(zone="ci.example", proxy="http://127.0.0.1:1"))
    first, second = slots.app("first", "named"), slots.app("second", "named")
    files = release(tmp_path / "one", {"app": server()})
    try:
        driver.deploy(first, files, options())
        with pytest.raises(InfrastructureError) as refusal:
            driver.deploy(second, files, options())
        at = stack_of(first, "ci.example").app
        assert refusal.value.message == f"named: app needs http://named.ci.example:1, which {at} uses"
        assert slots.objects(second) == {}
        assert driver.stop(first) == RemovalResult()
        driver.deploy(second, files, options())
    finally:
        assert driver.clear(first.mark) == driver.clear(second.mark) == RemovalResult()
