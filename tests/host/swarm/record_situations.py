"""Records what Swarm reports of stacks in many situations, to repeat it with another engine.

With DOCKER_HOST of an engine whose registry has the tests' images:

    python tests/host/swarm/record_situations.py     every recording; or: record_situations.py paused crash-loop
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Json = dict[str, Any]
Reached = Callable[[Sequence[Json], Sequence[Json]], bool]

FOLDER = Path(__file__).parent / "recordings"
STACK = "canon-recording"
OURS = f"label=com.docker.stack.namespace={STACK}"
IMAGE = "127.0.0.1:5000/base:bookworm"
_WAIT = 120.0
# Large, and not read by the tests.
_LEFT_OUT = ("PreviousSpec", "Endpoint", "Version", "NetworksAttachments")


def sh(script: str, **more: object) -> Json:
    return {"image": IMAGE, "command": ["sh", "-c", script], **more}


def service(
    script: str, condition: str = "any", update: Json | None = None, *, slowly_back: bool = False, **more: object
) -> Json:
    """Return a service that is restarted at once, and whose container is removed at once."""
    deploy: Json = {"restart_policy": {"condition": condition, "delay": "0s"}}
    if update is not None:
        deploy["update_config"] = {"monitor": "4s", **update}
        deploy["rollback_config"] = {"monitor": "60s" if slowly_back else "1s"}
    return sh(script, deploy=deploy, stop_grace_period="0s", **more)


def healthcheck(test: str, retries: int) -> Json:
    return {"test": ["CMD-SHELL", test], "interval": "1s", "retries": retries}


def constrained(script: str, constraint: str) -> Json:
    made = service(script)
    made["deploy"]["placement"] = {"constraints": [constraint]}
    return made


def updated(state: str) -> Reached:
    return lambda services, _: any((one.get("UpdateStatus") or {}).get("State") == state for one in services)


def states(count: int, *wanted: str) -> Reached:
    """Whether at least `count` tasks are in one of these states."""
    return lambda _, tasks: sum(task["Status"]["State"] in wanted for task in tasks) >= count


def deployed(script: str = "exit 3", **deploy: object) -> Json:
    return sh(script, deploy=deploy, stop_grace_period="0s")


def none_goes(_: Sequence[Json], tasks: Sequence[Json]) -> bool:
    return all(task["Status"]["State"] in {"shutdown", "complete", "failed"} for task in tasks)


UP = service("sleep 1000")
PUBLISHED = {"target": 80, "published": 24999, "mode": "host"}
NARROW: Json = {"narrow": {"driver_opts": {}, "ipam": {"config": [{"subnet": "10.211.0.0/29"}]}}}

# The services of each deployment in turn, and what is waited for before the next, or before it is recorded.
Step = tuple[Mapping[str, Json], Reached]
SITUATIONS: Mapping[str, Sequence[Step]] = {
    "up": [({"app": UP}, states(1, "running"))],
    "starting": [({"app": service("sleep 1000", healthcheck=healthcheck("false", 90))}, states(1, "starting"))],
    "healthy": [({"app": service("sleep 1000", healthcheck=healthcheck("true", 3))}, states(1, "running"))],
    "unhealthy": [({"app": service("sleep 1000", healthcheck=healthcheck("false", 2))}, states(3, "failed"))],
    "updating": [
        ({"app": UP}, states(1, "running")),
        ({"app": service("sleep 2000", update={"monitor": "60s"})}, updated("updating")),
    ],
    "updated": [
        ({"app": UP}, states(1, "running")),
        ({"app": service("sleep 2000", update={"monitor": "1s"})}, updated("completed")),
    ],
    "rolling-back": [
        ({"app": service("sleep 1000", update={}, slowly_back=True)}, states(1, "running")),
        (
            {"app": service("exit 3", update={"failure_action": "rollback"}, slowly_back=True)},
            updated("rollback_started"),
        ),
    ],
    "rolled-back": [
        ({"app": UP}, states(1, "running")),
        ({"app": service("exit 3", update={"failure_action": "rollback"})}, updated("rollback_completed")),
    ],
    "paused": [
        ({"app": UP}, states(1, "running")),
        ({"app": service("exit 3", update={"failure_action": "pause"})}, updated("paused")),
    ],
    "crash-loop": [({"app": service("exit 3"), "db": UP}, states(4, "failed"))],
    "given-up": [({"app": deployed(restart_policy={"delay": "0s", "max_attempts": 1}), "db": UP}, states(2, "failed"))],
    "job-finished": [({"app": UP, "job": deployed("exit 0", mode="replicated-job")}, states(1, "complete"))],
    "everywhere": [({"app": deployed("sleep 1000", mode="global")}, states(1, "running"))],
    "at-rest": [({"app": UP}, states(1, "running")), ({"app": deployed("sleep 1000", replicas=0)}, none_goes)],
    "finished": [({"app": UP, "migrate": service("exit 0", "none")}, states(1, "complete"))],
    "finished-on-failure": [({"app": UP, "migrate": service("exit 0", "on-failure")}, states(1, "complete"))],
    "failed-once": [({"app": UP, "migrate": service("exit 3", "none")}, states(1, "failed"))],
    "no-image": [({"app": {**UP, "image": "127.0.0.1:5000/none:1"}}, states(3, "rejected"))],
    "no-mount": [({"app": service("sleep 1000", volumes=["/nowhere/at/all:/data"])}, states(3, "rejected"))],
    "port-taken": [
        (
            {"app": service("sleep 1000", ports=[PUBLISHED]), "other": service("sleep 1000", ports=[PUBLISHED])},
            states(1, "pending"),
        ),
    ],
    "no-node": [({"app": constrained("sleep 1000", "node.labels.disk == ssd")}, states(1, "pending"))],
    "no-node-before": [
        ({"app": constrained("sleep 1000", "node.labels.disk == ssd")}, states(1, "pending")),
        ({"app": constrained("sleep 1000", "node.role == manager")}, states(1, "running")),
    ],
    "no-address": [({"app": service("sleep 1000", networks=["narrow"])}, states(1, "new"))],
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SITUATIONS:
        sys.stderr.write(f"{name}\n")
        record(name, SITUATIONS[name])


def record(name: str, steps: Sequence[Step]) -> None:
    try:
        for services, told in steps:
            deploy(services)
            wait(told)
        found = services_now()
    finally:
        remove_stack()
    write(FOLDER / f"{name}.json", found)


def remove_stack() -> None:
    docker("stack", "rm", STACK)
    until = time.monotonic() + _WAIT
    while left := (*listed("container", "--all"), *listed("network")):
        assert time.monotonic() < until, left
        time.sleep(0.5)
        # Swarm keeps the container of a job that has finished.
        for container in listed("container", "--all", "--filter", "status=exited"):
            docker("container", "rm", "--force", container)


def listed(kind: str, *more: str) -> list[str]:
    return docker(kind, "ls", "--quiet", *more, "--filter", OURS).split()


def deploy(services: Mapping[str, Json]) -> None:
    narrow = any("networks" in service for service in services.values())
    laid = {name: {"deploy": {}, **one} for name, one in services.items()}
    for one in laid.values():
        # Where the tests run there may be no IPVS.
        one["deploy"] = {**one["deploy"], "endpoint_mode": "dnsrr", **({"replicas": 12} if narrow else {})}
    compose = {"version": "3.8", "services": laid, **({"networks": NARROW} if narrow else {})}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "compose.json"
        file.write_text(json.dumps(compose))
        docker("stack", "deploy", "--detach=true", "--resolve-image=never", "--compose-file", str(file), STACK)


def wait(told: Reached) -> None:
    until = time.monotonic() + _WAIT
    while not told(*services_and_tasks()):
        assert time.monotonic() < until, f"it does not come to that: {services_and_tasks()}"
        time.sleep(0.1)


def services_now() -> Json:
    services, tasks = services_and_tasks()
    version = docker("version", "--format", "{{.Server.Version}}").strip()
    return {"engine": version, "now": datetime.now(UTC).isoformat(), "services": services, "tasks": tasks}


def services_and_tasks() -> tuple[list[Json], list[Json]]:
    names = listed("service")
    services: list[Json] = json.loads(docker("service", "inspect", *names))
    ids = docker("service", "ps", "--quiet", "--no-trunc", *names).split()
    tasks: list[Json] = json.loads(docker("inspect", "--type", "task", *ids)) if ids else []
    return services, tasks


def write(path: Path, found: Json) -> None:
    """Write one service or task a line, without the parts that the tests do not read."""
    lines = {
        kind: ",\n  ".join(json.dumps(without_unread(one)) for one in found[kind]) for kind in ("services", "tasks")
    }
    path.write_text(
        f'{{"engine": "{found["engine"]}", "now": "{found["now"]}",\n'
        f' "services": [\n  {lines["services"]}],\n "tasks": [\n  {lines["tasks"]}]}}\n'
    )


def without_unread(one: Json) -> Json:
    return {key: value for key, value in one.items() if key not in _LEFT_OUT}


def docker(*argv: str) -> str:
    told = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stderr
    return told.stdout


if __name__ == "__main__":
    main()
