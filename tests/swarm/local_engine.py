"""The Docker engine that tests/images/engine starts: commands, and the objects that tests left on it."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

START = 'eval "$(tests/images/engine start)"; python3 tests/images/build.py'
KINDS = ("service", "container", "volume", "network", "secret", "config")
# Every stack's objects bear the one, all that Canon makes the other.
MARKS = ("com.docker.stack.namespace", "canon.slot")


@frozen
class LocalEngine:
    """`host` is its DOCKER_HOST, `client` the folder with a `docker` that knows `stack config`."""

    host: str
    client: Path
    registry: str
    served: dict[str, bool] = field(factory=dict, eq=False)

    @property
    def environment(self) -> Mapping[str, str]:
        path = f"{self.client}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": "/nonexistent", "DOCKER_HOST": self.host}

    def docker(self, *words: str, stdin: str | None = None) -> str:
        """Run a command of Docker's client and return its output. Fails if the command fails."""
        done = subprocess.run(
            [str(self.client / "docker"), *words],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stderr}"
        return done.stdout.strip()

    def listed(self, kind: str, *filters: str) -> frozenset[str]:
        """Return the ids (for volumes the names) of all objects of a kind that match one of the filters."""
        every = ("--all",) if kind == "container" else ()
        found = [self.docker(kind, "ls", "--quiet", *every, "--filter", one).split() for one in filters]
        return frozenset(each for ids in found for each in ids)

    def ours(self) -> frozenset[tuple[str, str]]:
        """Return kind and id of every object with a label of a stack or of Canon."""
        filters = [f"label={mark}" for mark in MARKS]
        return frozenset((kind, one) for kind in KINDS for one in self.listed(kind, *filters))

    def below(self, folder: Path) -> frozenset[tuple[str, str]]:
        """Return those of `ours` whose description names a path below `folder`."""
        return frozenset((kind, one) for kind, one in self.ours() if str(folder) in self._inspect(kind, one))

    def _inspect(self, kind: str, one: str) -> str:
        """Return Docker's description of an object; "" if another test has removed it meanwhile."""
        told = [str(self.client / "docker"), kind, "inspect", one]
        return subprocess.run(
            told, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        ).stdout

    def serves(self, image: str) -> bool:
        """Whether the registry has this image, such as `nginx:1.22.1`."""
        name, _, version = image.partition(":")
        if image not in self.served:
            self.served[image] = _found(f"http://{self.registry}/v2/{name}/manifests/{version}")
        return self.served[image]


def _found(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):  # noqa: S310 - of our own making
            return True
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise


def engine_missing() -> str:
    """Return why there is no engine for the tests; "" if there is one."""
    host, registry = os.environ.get("DOCKER_HOST"), os.environ.get("CANON_TEST_REGISTRY")
    if host is None or registry is None or shutil.which("docker") is None:
        return f"no Docker Engine of the tests' own; as root: {START}"
    ask = ["docker", "info", "--format", "{{json .Swarm}}"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        return f"no Docker Engine answers at {host}: {done.stderr.strip()}"
    if json.loads(done.stdout).get("LocalNodeState") != "active":
        return f"the Docker Engine at {host} is in no swarm"
    try:
        _found(f"http://{registry}/v2/")
    except OSError as error:
        return f"no registry of images answers at {registry}: {error}"
    return ""


def client_missing() -> str:
    """Return why Docker's client cannot resolve compose files; "" if it can. No engine is needed."""
    asked = [shutil.which("docker") or "docker", "stack", "config", "--help"]
    if shutil.which("docker") and not subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode:
        return ""
    return "needs Docker's client, of version 23 or newer"


def engine_from_environment() -> LocalEngine:
    """The engine that the environment names; asked only where none is `engine_missing`."""
    client = shutil.which("docker")
    assert client
    return LocalEngine(os.environ["DOCKER_HOST"], Path(client).parent, os.environ["CANON_TEST_REGISTRY"])
