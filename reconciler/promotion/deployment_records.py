"""The deployment record of a kept deployment: what stands of it, or why nothing does."""

from contextlib import suppress
from datetime import datetime

from reconciler.ports.host import Host
from state.deployment_record import read_deployment_record, write_deployment_record
from state.records import Damaged, DeploymentRecord
from state.state_errors import StateError


def record_missing(host: Host, name: str, why: str) -> None:
    """Say why nothing is to be there of it."""
    try_to_write(host, name, missing_deployment(host, name, why))


def missing_deployment(host: Host, name: str, why: str) -> DeploymentRecord:
    """The deployment record of a deployment that is not there; when it was last seen up stays."""
    try:
        before = last_up(read_deployment_record(host.state.deployment_record_path(name)))
    except (StateError, OSError):
        before = None
    return DeploymentRecord(0, {}, before, why)


def try_to_write(host: Host, name: str, record: DeploymentRecord) -> None:
    """Where even that fails, another deployment record than what is there is found, and the next pass raises it."""
    with suppress(StateError, OSError):
        write_deployment_record(host.state.deployment_record_path(name), record)


def last_up(record: DeploymentRecord | Damaged | None) -> datetime | None:
    return record.up_at if isinstance(record, DeploymentRecord) else None
