"""Writes deployment records: the parts of a kept deployment, or why there are none."""

from contextlib import suppress
from datetime import datetime

from reconciler.ports.host import Host
from state.deployment_record import read_deployment_record, write_deployment_record
from state.records import Damaged, DeploymentRecord
from state.state_errors import StateError


def record_missing(host: Host, name: str, why: str) -> None:
    """Record why a recipe has no kept deployment. A record that cannot be written is no failure."""
    try_to_write(host, name, missing_deployment(host, name, why))


def missing_deployment(host: Host, name: str, why: str) -> DeploymentRecord:
    """Return a record of a missing deployment. The time when it was last seen up is kept."""
    try:
        before = last_up(read_deployment_record(host.state.deployment_record_path(name)))
    except (StateError, OSError):
        before = None
    return DeploymentRecord(0, {}, before, why)


def try_to_write(host: Host, name: str, record: DeploymentRecord) -> None:
    """Write a record. If that fails, the old one does not match what runs, and the next pass deploys again."""
    with suppress(StateError, OSError):
        write_deployment_record(host.state.deployment_record_path(name), record)


def last_up(record: DeploymentRecord | Damaged | None) -> datetime | None:
    return record.up_at if isinstance(record, DeploymentRecord) else None
