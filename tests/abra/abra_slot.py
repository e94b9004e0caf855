"""A slot for the abra driver, with a stand-in for the program abra."""

import time
from pathlib import Path

from attrs import frozen

from desired.model import Swarm
from reconciler.host import app_directory
from reconciler.host.swarm.abra_command import Abra
from reconciler.host.swarm.abra_driver import AbraDriver
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.ports.app import App, DeployOptions, NotRunning, RunningApp
from tests.abra.installed_abra import InstalledAbra, docker

COMPOSE = """\
version: "3.8"
services:
  app:
    image: {image}
    stop_grace_period: 1s
    secrets: [key]
    configs: [{{source: words, target: /words}}]
    volumes: ["content:/usr/share/nginx/html"]
    deploy:
      labels:
        - "traefik.http.services.${{STACK_NAME}}.loadbalancer.server.port=80"
        - "coop-cloud.${{STACK_NAME}}.version={version}"
configs:
  words:
    name: ${{STACK_NAME}}_words_${{WORDS_VERSION}}
    file: words.txt
volumes:
  content:
secrets:
  key:
    external: true
    name: ${{STACK_NAME}}_key_${{SECRET_KEY_VERSION}}
"""
SAMPLE = 'TYPE=page\nGREETING="it\'s $1"\nSECRET_KEY_VERSION=v1 # length=16\n'
OVERLAY = 'version: "3.8"\nservices:\n  app:\n    deploy:\n      endpoint_mode: dnsrr\n'
HUSH = "not for the list of processes"
FIRST, SECOND = "1.0.0+1.22.1", "1.1.0+1.26.3"
KINDS = ("service", "secret", "config", "volume", "network")


@frozen
class AbraSlot:
    """A slot, in which one app is deployed by abra; `fleet` holds the overlay, `checkouts` the releases."""

    installed: InstalledAbra
    root: Path
    registry: str
    changing: float = 300.0

    @property
    def slot(self) -> Path:
        return self.root / "work" / "page" / "install"

    @property
    def app(self) -> App:
        return App("page", self.slot / "page", str(self.slot))

    @property
    def stack(self) -> str:
        return stack_of(self.app, "localhost").name

    @property
    def driver(self) -> AbraDriver:
        """Another one each time, as after another start: drivers keep nothing in mind."""
        environment = self.installed.environment
        return AbraDriver(Engine(environment), Swarm(), Abra(environment, changing=self.changing))

    def checkout(self, version: str) -> Path:
        folder = self.root / "checkouts" / version
        if not folder.exists():
            folder.mkdir(parents=True)
            image = f"{self.registry}/nginx:{version.partition('+')[2] or '1.22.1'}"
            (folder / "compose.yml").write_text(COMPOSE.format(image=image, version=version))
            (folder / ".env.sample").write_text(SAMPLE)
            (folder / "abra.sh").write_text("export WORDS_VERSION=v3\n")
            (folder / "words.txt").write_text("of the recipe\n")
        return folder

    def deploy(self, version: str = FIRST, app: App | None = None) -> None:
        app = app or self.app
        overlay = self.root / "compose.ci.yml"
        overlay.write_text(OVERLAY)
        app_directory.create_folders(app)
        (app.secrets / "key").write_text(HUSH)
        options = DeployOptions(version, "c" * 40, {"EXTRA": "yes"}, (overlay,))
        self.driver.deploy(app, self.checkout(version), options)

    def until_settled(self, app: App | None = None) -> RunningApp:
        until = time.monotonic() + 120
        while True:
            seen = self.driver.status(app or self.app)
            if isinstance(seen, RunningApp) and seen.is_up:
                return seen
            assert isinstance(seen, NotRunning) or not seen.failure, seen
            assert time.monotonic() < until, seen
            time.sleep(0.3)

    def left(self) -> dict[str, list[str]]:
        """Everything in the swarm that bears the stack's name."""
        every = {kind: docker(kind, "ls", "--format", "{{.Name}}").split() for kind in KINDS}
        return {kind: own for kind, names in every.items() if (own := [name for name in names if self.stack in name])}
