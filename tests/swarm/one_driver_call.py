"""Runs one call of the swarm driver in its own process, so that a test can kill it."""

import fcntl
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from desired.model import Swarm
from reconciler.host.swarm.engine import engine as docker
from reconciler.host.swarm.swarm_driver import SwarmDriver
from tests.swarm.local_engine import engine_from_environment
from tests.swarm.stacks import SwarmSlots, options


def main() -> None:
    """Take VERB SLOT PATH from the command line, hold the lock, and call the driver."""
    verb, slot, path = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    slots = SwarmSlots.on(
        engine_from_environment(), slot.parent, DOING=str(os.getpid()), **shim_environment(os.environ)
    )
    app = slots.app(slot.name, token="secret")
    with (slots.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        driver = SwarmDriver(docker.Engine(slots.environment, lock.fileno()), Swarm())
        calls: Mapping[str, Callable[[], object]] = {
            "deploy": lambda: driver.deploy(app, path, options()),
            "save": lambda: driver.save(app, path),
            "load": lambda: driver.load(app, path),
            "remove": lambda: driver.remove(app),
        }
        calls[verb]()


def shim_environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that put the tests' own `docker` first, where they are set."""
    return {name: environ[name] for name in ("PATH", "AT", "THEN") if name in environ}


if __name__ == "__main__":
    main()
