"""Checks for `reconcile doctor` whether Docker's command, its engine and the swarm are as recipes need them."""

from collections.abc import Mapping

from reconciler.core.host_checks import CheckResult, HostCheck
from reconciler.host.swarm.engine.engine import Engine

# The network of the proxy, which recipes of Co-op Cloud declare as external.
_NETWORK = "proxy"


def check_swarm(environment: Mapping[str, str]) -> HostCheck:
    """Check Docker's command, its engine and the swarm. Return the result for `reconcile doctor`.

    `environment` is the environment of child processes. It says which engine is used.
    * The network `proxy`, which recipes expect, is missing: return FAILED.
    * Docker's command is too old, the engine does not answer, or this host is no manager of a swarm: raise
      InfrastructureError.
    * Otherwise return OK.
    """
    engine = Engine(environment)
    engine.check()
    names = {network["Name"] for network in engine.find("network", f"name={_NETWORK}")}
    if _NETWORK not in names:
        hint = f"docker network create --driver overlay --attachable {_NETWORK}"
        return HostCheck("swarm", CheckResult.FAILED, f"the network {_NETWORK} is missing, which recipes expect", hint)
    return HostCheck("swarm", CheckResult.OK, f"this is its manager {engine.node}, and the network {_NETWORK} is there")
