"""What `reconcile doctor` finds out about Docker's swarm, with stand-ins for the command and for the engine."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.core.host_checks import CheckResult
from reconciler.errors import InfrastructureError
from reconciler.host.swarm.swarm_check import check_swarm
from tests.host.swarm.engine_stand_in import MANAGER, Serve, gives

LEFT = {"Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False}}


def _environment(folder: Path, socket: Path, node: str) -> Mapping[str, str]:
    """Return an environment whose `docker` prints what `docker info` of a client of version 26 prints."""
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\necho \'"26.1.5" "{node}"\'\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_HOST": f"unix://{socket}"}


def test_a_manager_with_the_network_of_the_proxy_passes(serve: Serve, tmp_path: Path) -> None:
    networks = [{"Name": "proxy", "Id": "1"}]
    stand_in = serve({"GET /info": gives(MANAGER), "GET /networks": gives(networks)})
    assert check_swarm(_environment(tmp_path, stand_in.socket, "n1")).result is CheckResult.OK


def test_a_network_that_is_only_named_alike_does_not_count(serve: Serve, tmp_path: Path) -> None:
    # The engine's filter finds every name that contains the text.
    stand_in = serve({"GET /info": gives(MANAGER), "GET /networks": gives([{"Name": "my_proxy", "Id": "1"}])})
    check = check_swarm(_environment(tmp_path, stand_in.socket, "n1"))
    assert check.result is CheckResult.FAILED
    assert check.hint == "docker network create --driver overlay --attachable proxy"


def test_a_host_that_left_its_swarm_is_named(serve: Serve, tmp_path: Path) -> None:
    stand_in = serve({"GET /info": gives(LEFT)})
    with pytest.raises(InfrastructureError, match="this host manages no swarm") as failure:
        check_swarm(_environment(tmp_path, stand_in.socket, ""))
    assert "docker swarm init" in failure.value.hint
