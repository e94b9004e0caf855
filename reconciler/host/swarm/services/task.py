"""One task of a service, from the JSON of Swarm. Pure."""

from datetime import datetime, timedelta

from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.docker_faults import LONGEST_MESSAGE
from reconciler.host.text import one_line

_FAILED = {"failed", "rejected"}
_WAITING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
_GOING = _WAITING | {"running"}


def has_ended(task: Json) -> bool:
    """Return True if a task ended by itself: it completed, failed or was rejected.

    Return False if Swarm stopped the task, or if it has not ended.
    """
    return state_of(task) in _FAILED or state_of(task) == "complete"


def run_time(task: Json) -> timedelta:
    """Return how long an ended task ran. If its container is gone, the time that it took to start counts too."""
    ran = task.get("Ran")
    return ran if isinstance(ran, timedelta) else state_since(task) - parse_time(task["CreatedAt"])


def container_id(task: Json) -> str:
    """Return the id of the task's container; "" if the task never had one."""
    return str(((task.get("Status") or {}).get("ContainerStatus") or {}).get("ContainerID") or "")


def is_oom_killed(task: Json) -> bool:
    """Return whether the kernel killed the task because memory ran out. `task` must come from `with_container_ends`."""
    return bool(task.get("OOMKilled"))


def memory_limit(task: Json) -> int:
    """Return the memory limit of a task in bytes; 0 if it has none."""
    limits = (task["Spec"].get("Resources") or {}).get("Limits") or {}
    return int(limits.get("MemoryBytes") or 0)


def state_and_message(task: Json) -> str:
    """Return the state and message of a task as "STATE: MESSAGE"; only the state if the message says no more."""
    message = message_line(task)
    return f"{state_of(task)}: {message}" if message and message != state_of(task) else state_of(task)


def message_line(task: Json) -> str:
    """Return the message of a task as one printable line of at most LONGEST_MESSAGE characters, see `message_of`."""
    return one_line(message_of(task).encode(), LONGEST_MESSAGE)


def message_of(task: Json) -> str:
    """Return why a task is in its state: its error message, or its status message if it has no error message.

    Return "" if it has neither. For a completed task, return "exit code 0" instead, with an addition if its health
    check had failed.
    """
    status = task.get("Status") or {}
    if state_of(task) == "complete":
        return "exit code 0, after its health check had failed" if task.get("Unhealthy") else "exit code 0"
    return str(status.get("Err") or status.get("Message") or "")


def is_active(task: Json) -> bool:
    """Return whether a task runs, or will run soon."""
    return state_of(task) in _GOING


def state_of(task: Json) -> str:
    """Return the state of a task in Swarm's words, such as "running"; "" if it has none yet."""
    return str((task.get("Status") or {}).get("State", ""))


def state_since(task: Json) -> datetime:
    """Return since when a task has its present state."""
    return parse_time(task["Status"]["Timestamp"])


def parse_time(text: str) -> datetime:
    """Parse a time as Swarm writes it, such as "2026-11-29T08:00:00.123456789Z"."""
    return datetime.fromisoformat(text)
