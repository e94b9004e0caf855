from collections.abc import Mapping

import pytest

from reconciler.host.swarm.services.apart import contacts

OUTSIDE = {"proxy": {"external": True}, "hidden": {"internal": True}}
SOCKET = {"type": "bind", "source": "/var/run/docker.sock", "target": "/docker.sock", "read_only": True}


def config(**services: Mapping[str, object]) -> Mapping[str, object]:
    return {"services": services, "networks": {**OUTSIDE, "of_the_host": {"external": True, "name": "host"}}}


@pytest.mark.parametrize(
    "services",
    [
        {"app": {"networks": ["proxy"]}},
        {"app": {"networks": {"proxy": None, "hidden": None}}, "db": {"networks": {"hidden": None}}},
        {"app": {"networks": ["proxy"]}, "worker": {}},
        {"app": {"volumes": [{"type": "bind", "source": "/etc/localtime", "target": "/etc/localtime"}]}},
    ],
)
def test_a_stack_of_which_only_the_service_app_is_on_a_shared_network_has_no_contacts(
    services: Mapping[str, object],
) -> None:
    assert list(contacts(config(**services))) == []  # type: ignore[arg-type]  # any services


@pytest.mark.parametrize(
    ("services", "told"),
    [
        ({"app": {"networks": ["hidden"]}, "web": {"networks": ["hidden", "proxy"]}}, "web is on the network proxy"),
        ({"app": {"networks": {"of_the_host": None}}}, "app uses the host's own network"),
        ({"app": {"volumes": [SOCKET]}}, "app sees all containers of the host by /var/run/docker.sock"),
        ({"app": {"volumes": [{**SOCKET, "source": "/run/"}]}}, "app sees all containers of the host by /run/"),
    ],
)
def test_a_stack_that_can_reach_other_apps_is_reported_with_how_it_can(
    services: Mapping[str, object], told: str
) -> None:
    found = list(contacts(config(**services)))  # type: ignore[arg-type]  # any services
    assert found
    assert found[0].startswith(told)
