"""Tests at which address tests reach an app on a Swarm."""

from pathlib import Path

import pytest

from desired.model import Swarm
from reconciler.errors import RecipeError
from reconciler.host.sample import Sample
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease
from reconciler.host.swarm.recipe.recipe import SwarmRecipe
from reconciler.host.swarm.recipe.stack import Endpoint, Stack
from reconciler.host.swarm.services.deploy_stack import DeploymentSite, endpoint_of

LABEL = "traefik.{}.services.voice.loadbalancer.server.port"
PROXY = Swarm(proxy="http://127.0.0.1:8080")


def endpoint(policy: Swarm, app: Config, *, needs_port: bool = False) -> Endpoint:
    """Return where tests reach a recipe whose service `app` is declared so. No engine is asked."""
    config: Config = {"version": "3.8", "services": {"app": {"image": "voice:1", **app}}}
    stack = Stack("voice", "voice", "/slot", "voice.localhost")
    prepared = PreparedRelease(stack, SwarmRecipe(Sample({}, ()), {}), Path("/checkout"), (), {}, config)
    site = DeploymentSite(Engine({"DOCKER_HOST": "unix:///nowhere.sock"}), policy)
    return endpoint_of(site, prepared, needs_port=needs_port)


def published(protocol: str) -> Config:
    return {"ports": [{"mode": "ingress", "target": 64738, "published": 64738, "protocol": protocol}]}


def labelled(kind: str) -> Config:
    return {"deploy": {"labels": {LABEL.format(kind): "64738"}}}


@pytest.mark.parametrize("policy", [Swarm(), PROXY], ids=["direct", "proxy"])
def test_an_app_with_a_port_of_udp_alone_has_no_url_of_http(policy: Swarm) -> None:
    seen = endpoint(policy, labelled("udp"))
    assert (seen.url, seen.protocol, seen.proxied) == (f"udp://{seen.address}", "udp", False)
    assert seen.address == f"127.0.0.1:{seen.published}"
    with pytest.raises(RecipeError, match="voice: app has a port of UDP alone, which cannot show that it is ready"):
        endpoint(policy, labelled("udp"), needs_port=True)


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_port_that_a_label_names_is_reached_through_the_proxy_or_at_a_port_of_ours(kind: str) -> None:
    behind, direct = endpoint(PROXY, labelled(kind)), endpoint(Swarm(), labelled(kind))
    assert (behind.url, behind.proxied) == ("http://voice.localhost:8080", True)
    assert (direct.url, direct.proxied) == (f"http://127.0.0.1:{direct.published}", False)


def test_a_port_that_the_recipe_publishes_is_used() -> None:
    assert endpoint(Swarm(), published("tcp")).url == "http://127.0.0.1:64738"
    assert endpoint(Swarm(), published("udp")) == Endpoint()
