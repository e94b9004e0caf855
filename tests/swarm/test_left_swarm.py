"""`reconcile doctor` on a host that left its swarm: an engine of the test's own, in namespaces that end with it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp

import pytest

from reconciler.core.host_checks import CheckResult
from reconciler.errors import InfrastructureError
from reconciler.host.swarm.swarm_check import check_swarm
from tests.child_processes import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.needs("root", "unshare", "dockerd", "docker-client")]

START = """
ip link set lo up
exec dockerd --host "unix://$1/socket" --data-root "$1/data" --exec-root "$1/run" --pidfile "$1/pid" >"$1/log" 2>&1
"""


@pytest.fixture
def environment() -> Iterator[Mapping[str, str]]:
    """Yield the environment that chooses an engine without a swarm."""
    folder = Path(mkdtemp(prefix="canon-left-"))  # short, as paths of sockets are limited
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"]
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{folder}/socket"}
    with subprocess.Popen([*own, "sh", "-c", START, "sh", folder]) as engine:
        try:
            wait_until(lambda: _docker(environment, "info").returncode == 0)
            yield environment
        finally:
            engine.kill()
    shutil.rmtree(folder)


def _docker(environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], env=environment, capture_output=True, text=True, check=False)


def test_a_swarm_that_was_left_is_named_and_was_sound_before(environment: Mapping[str, str]) -> None:
    for words in (
        "swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1",
        "network create --driver overlay --attachable proxy",
    ):
        done = _docker(environment, *words.split())
        assert done.returncode == 0, done.stderr
    assert check_swarm(environment).result is CheckResult.OK
    assert _docker(environment, "swarm", "leave", "--force").returncode == 0
    with pytest.raises(InfrastructureError, match="this host manages no swarm") as failure:
        check_swarm(environment)
    assert "docker swarm init" in failure.value.hint
