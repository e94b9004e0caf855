"""What reaches which service of a stack: settings by all names, what its file says, and secrets as they are called."""

import json
from collections.abc import Iterator

import pytest
from attrs import frozen

from reconciler.host.secret_values import HostSecrets
from reconciler.ports.app import App, RemovalResult
from reconciler.ports.app_secrets import SecretMakers
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import SwarmSlots, options, release, server, service

SAMPLE = """\
QUEUE=mail
DOCKER_HOST=tcp://socket-proxy:2375
HOME=/srv/home
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/of/the/app
HTTP_PROXY=http://proxy.example:3128
XDG_RUNTIME_DIR=/run/app
LD_LIBRARY_PATH=/opt/app
LC_ALL=de_DE.UTF-8
PAGE="one
  'two' $three"
SECRET_OVH_CONSUMER_KEY=v1 # length=20 charset=default
SECRET_DB_PASSWORD_VERSION=v1
VERSION_OF_BOTH=v2 # length=9 charset=hex
"""
SECRETS = {
    "ovh_consumer_key": "${STACK_NAME}_ovh_consumer_key_${SECRET_OVH_CONSUMER_KEY}",
    "db_password": "${STACK_NAME}_DB_PASSWORD_${SECRET_DB_PASSWORD_VERSION}",
    "Api-Key": "${STACK_NAME}_api-key_${VERSION_OF_BOTH}",
    "second": "${STACK_NAME}_second_${VERSION_OF_BOTH}",
    "plain": "${STACK_NAME}_plain_${SECRET_PLAIN_VERSION:-v1}",
}


@frozen
class Deployed:
    """An app with a worker beside it, deployed with variables of ours that nothing of it is to see."""

    slots: SwarmSlots
    app: App

    def environment_of(self, name: str) -> dict[str, str | None]:
        """By Docker's own account; None for a variable that is named without a value."""
        (one,) = self.slots.inspect("service", f"{self.slots.stack(self.app)}_{name}")
        told = one["Spec"]["TaskTemplate"]["ContainerSpec"].get("Env") or ()
        return {name: value if sign else None for name, sign, value in (each.partition("=") for each in told)}


@pytest.fixture(scope="module")
def deployed(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("settings")
    # As a fleet with `[environment] pass` has them.
    slots = SwarmSlots.on(engine, folder / "work", LANG="C.UTF-8", LC_ALL="C.UTF-8", TMPDIR="/ours", PASSED="ours")
    app = slots.app()
    files = release(
        folder / "one",
        {
            "app": server(environment=["LANG=${LANG:-nl_NL.UTF-8}", "SEEN=${PASSED:-nothing}"], secrets=[*SECRETS]),
            "worker": service(
                "exec sleep 1000",
                environment=["HOME", "DOCKER_HOST", "TMPDIR", "PASSED=", "LOADS=${LD_LIBRARY_PATH}", "LD_LIBRARY_PATH"],
            ),
            "bare": service("exec sleep 1000"),
        },
        {"secrets": {key: {"external": True, "name": name} for key, name in SECRETS.items()}},
        SAMPLE,
    )
    makers = SecretMakers({"api_key": ("echo", "of the maker")}, folder)
    try:
        needs = slots.driver.needs(app, files, options())
        HostSecrets(slots.environment).provide(app, needs, makers, folder / "log")
        slots.driver.deploy(app, files, options())
        slots.settled(app)
        yield Deployed(slots, app)
        assert slots.driver.remove(app) == RemovalResult()
    finally:
        slots.clear()


def test_the_app_gets_every_setting_whatever_its_name(deployed: Deployed) -> None:
    told = deployed.environment_of("app")
    assert told["DOCKER_HOST"] == "tcp://socket-proxy:2375"
    assert (told["HOME"], told["HTTP_PROXY"]) == ("/srv/home", "http://proxy.example:3128")
    assert (told["XDG_RUNTIME_DIR"], told["LD_LIBRARY_PATH"]) == ("/run/app", "/opt/app")
    assert (told["QUEUE"], told["PAGE"]) == ("mail", "one\n  'two' $three")
    assert (told["PATH"] or "").endswith(":/of/the/app")
    assert deployed.slots.run(deployed.app, "sh", "-c", "printf %s $HOME") == "/srv/home"


def test_other_services_get_only_the_values_of_their_files(deployed: Deployed) -> None:
    assert deployed.environment_of("bare") == {}
    assert deployed.environment_of("worker") == {
        "HOME": "/srv/home",
        "DOCKER_HOST": "tcp://socket-proxy:2375",
        "TMPDIR": None,
        "PASSED": "",
        "LOADS": "/opt/app",
        "LD_LIBRARY_PATH": "/opt/app",
    }


def test_nothing_of_our_own_environment_is_filled_in(deployed: Deployed) -> None:
    told = deployed.environment_of("app")
    assert (told["LANG"], told["LC_ALL"], told["SEEN"]) == ("nl_NL.UTF-8", "de_DE.UTF-8", "nothing")
    assert "ours" not in json.dumps([deployed.environment_of(name) for name in ("app", "worker", "bare")])


def test_secrets_go_by_the_names_that_compose_files_give_them(deployed: Deployed) -> None:
    found = deployed.slots.inspect("secret", *deployed.slots.objects(deployed.app)["secret"])
    stack = deployed.slots.stack(deployed.app)
    names = {one["Spec"]["Name"].removeprefix(f"{stack}_") for one in found}
    assert names == {"ovh_consumer_key_v1", "DB_PASSWORD_v1", "api-key_v2", "second_v2", "plain_v1"}
    inside = {key: deployed.slots.run(deployed.app, "cat", f"/run/secrets/{key}") for key in SECRETS}
    assert {key: len(text) for key, text in inside.items() if key != "Api-Key"} == {
        "ovh_consumer_key": 20,
        "db_password": 32,
        "second": 9,
        "plain": 32,
    }
    assert inside["Api-Key"] == "of the maker"


def test_an_app_is_reached_by_the_engine_that_the_driver_has_whatever_its_tests_are_told(deployed: Deployed) -> None:
    told = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CONTEXT": "none", "DOCKER_TLS_VERIFY": "1"}
    assert deployed.slots.run(deployed.app, "printf", "reached", **told) == "reached"
