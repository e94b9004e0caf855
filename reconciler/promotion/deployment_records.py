"""The account of a kept deployment: what stands of it, or why nothing does."""

from contextlib import suppress
from datetime import datetime

from reconciler.ports.protocols import Host
from state.deployment_record import read_upkeep, write_upkeep
from state.records import Damaged, Upkeep
from state.state_errors import StateError


def miss(host: Host, name: str, why: str) -> None:
    """Say why nothing is to be there of it."""
    write_account(host, name, missing(host, name, why))


def missing(host: Host, name: str, why: str) -> Upkeep:
    """The account of a deployment that is not there; when it was last seen up stays."""
    try:
        before = last_up(read_upkeep(host.state.kept_account(name)))
    except (StateError, OSError):
        before = None
    return Upkeep(0, {}, before, why)


def write_account(host: Host, name: str, account: Upkeep) -> None:
    """Where even that fails, another account than what is there is found, and the next pass raises it."""
    with suppress(StateError, OSError):
        write_upkeep(host.state.kept_account(name), account)


def last_up(account: Upkeep | Damaged | None) -> datetime | None:
    return account.up_at if isinstance(account, Upkeep) else None
