"""Writes deployment records: which parts a kept deployment has, or why it is missing."""

from contextlib import suppress
from datetime import datetime

from reconciler.ports.host import Host
from state.deployment_record import read_deployment_record, write_deployment_record
from state.kept_deployment import DeploymentRecord
from state.records import Damaged
from state.state_errors import StateError


def record_missing(host: Host, name: str, why: str) -> None:
    """Record why the recipe `name` has no kept deployment.

    If the record cannot be written, raise no error: the old one stays, and the next pass deploys the canonical again.
    """
    try_to_write(host, name, missing_deployment(host, name, why))


def missing_deployment(host: Host, name: str, why: str) -> DeploymentRecord:
    """Return a deployment record that says why the recipe `name` has no kept deployment. Write nothing.

    `up_at` in the returned record comes from the record on the disk. It is None if there is no record on the disk, or
    if that record cannot be read.
    """
    try:
        up_at = last_up(read_deployment_record(host.state.deployment_record_path(name)))
    except (StateError, OSError):
        up_at = None
    return DeploymentRecord(0, {}, up_at, why)


def try_to_write(host: Host, name: str, record: DeploymentRecord) -> None:
    """Write the deployment record of the recipe `name`. Raise no error if that fails.

    After a failure, the next pass finds that the old record does not match what runs, and deploys the canonical again.
    """
    with suppress(StateError, OSError):
        write_deployment_record(host.state.deployment_record_path(name), record)


def last_up(record: DeploymentRecord | Damaged | None) -> datetime | None:
    """Return when the deployment of this record was last seen up.

    Return None if it was never seen up, if there is no record, or if the record is damaged.
    """
    return record.up_at if isinstance(record, DeploymentRecord) else None
