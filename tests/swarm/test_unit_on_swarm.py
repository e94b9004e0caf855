"""The shipped unit on a real systemd and a real Swarm: it promotes, and lets recipes see little of the host."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed_canon import RECONCILE, ROOT, install_canon
from tests.swarm.local_engine import LocalEngine
from tests.systemd_boot import BootedMachine, booted

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd")]

UNIT = "reconcile.service"
TOKEN = "known to the forge alone"
FLEET = """
format = 1
[fleet]
name = "unit"
protocols = ["file", "http"]
[mirror]
push = "http://127.0.0.1:8099/{recipe}.git"
token = "forge-token"
"""
RECIPE = """
[recipe]
upstream = "file:///srv/page"
driver = "swarm"
[ready]
run = ["sh", "-c", '"$APP_RUN" true']
stable = "2s"
[data]
mark = ["sh", "-c", 'ls -A /root /home >/var/lib/reconcile/homes; "$APP_RUN" sh -c "echo kept >/content/kept"']
check = ["sh", "-c", '"$APP_RUN" grep kept /content/kept']
[tiers]
backup = "not what is shown"
restore = "not what is shown"
custom = "not what is shown"
"""
COMPOSE = """
version: "3.8"
services:
  app:
    image: {registry}/nginx:1.22.1
    volumes: ["content:/content"]
volumes:
  content: {{}}
"""
# A forge that refuses everybody, and keeps with which words it was asked.
FORGE = """
import http.server

class AskedHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("/run/asked", "a") as asked:
            print(self.headers["Authorization"], file=asked)
        self.send_error(403)

http.server.HTTPServer(("127.0.0.1", 8099), AskedHandler).serve_forever()
"""


@pytest.fixture
def machine(tmp_path: Path, engine: LocalEngine) -> Iterator[BootedMachine]:
    """A booted machine with Canon, Docker where a host has it, a recipe on Swarm, and homes with things in them."""
    socket = Path(engine.host.removeprefix("unix://"))
    client = (engine.client / "docker").resolve()
    with booted([ROOT, Path(sys.prefix), tmp_path, socket.parent, client.parent]) as machine:
        install_canon(machine, tmp_path)
        for there, place in {socket: "/run/docker.sock", client: "/usr/local/bin/docker"}.items():
            machine.write(place, "")
            machine.run("mount", "--bind", str(there), place)
        machine.write("/etc/reconcile/fleet.toml", FLEET)
        machine.write("/etc/reconcile/recipes/page/recipe.toml", RECIPE)
        machine.write("/srv/page/compose.yml", COMPOSE.format(registry=engine.registry))
        machine.write("/srv/page/.env.sample", "DOMAIN=page.example.org\n")
        machine.run("git", "init", "--quiet", "--initial-branch=main", "/srv/page")
        machine.release("/srv/page", "1.0.0+1.22.1")
        machine.write("/root/diary", "of somebody")
        machine.write("/home/ada/diary", "of hers")
        machine.write("/root/.ssh/known_hosts", "")
        machine.write("/etc/credstore/forge-token", TOKEN)
        machine.run("chmod", "-R", "go=", "/etc/credstore")
        machine.write("/srv/forge.py", FORGE)
        machine.run("systemd-run", "--quiet", "--unit=forge", "python3", "/srv/forge.py")
        yield machine


def test_the_unit_promotes_on_swarm_with_a_credential_and_shows_recipes_no_homes(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", UNIT)
    have = json.loads(machine.run(RECONCILE, "status", "--output=json"))["recipes"][0]["have"]
    assert (have["version"], have["evidence"]["unit"]) == ("1.0.0+1.22.1", UNIT)
    asked = {line.removeprefix("Basic ") for line in machine.run("cat", "/run/asked").splitlines()}
    assert {base64.b64decode(one).decode() for one in asked} == {f"canon:{TOKEN}"}
    seen = machine.run("cat", "/var/lib/reconcile/homes").split()
    assert ".ssh" in seen
    assert {"diary", "ada"} & {*seen} == set()
