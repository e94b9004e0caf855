"""Runs the checks of `reconcile doctor` in order. Each uses the same code as a pass, and changes nothing."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from desired.declarations.sources import ALLOWED_SIGNERS, KEYS
from desired.model import Fleet
from desired.releases import Unobservable
from reconciler.cli.doctor_inspection import Inspection, inspect
from reconciler.cli.doctor_notify_check import check_notify
from reconciler.cli.doctor_unit_checks import check_credentials, check_environment, check_timer, check_unit
from reconciler.core import host_checks
from reconciler.core.clock_check import check_clock
from reconciler.core.folder_access import FolderAccess, obstacle
from reconciler.core.host_checks import CheckResult, HostCheck
from reconciler.core.observation import State
from reconciler.errors import CanonError, InfrastructureError, NotCheckedError, message_and_hint
from reconciler.host import systemd_units as systemd
from reconciler.host.command_runner import missing_programs, nearest_existing
from reconciler.host.environment import place
from reconciler.host.folder_access import read_access
from reconciler.host.git.upstream import GitUpstream
from reconciler.ports.repositories import TagQuery
from reconciler.promotion.generations import snapshot_statuses
from state.folder.fleet_name import read_fleet_name, require_fleet
from state.folder.folder import StateFolder
from state.folder.identity import read_identity
from state.records import Records
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from state.state_errors import StateError


def checks_of(fleet: Fleet, state: StateFolder) -> Iterator[HostCheck]:
    """Run all checks but the check of the declarations, in a fixed order. Yield each result as soon as it is there.

    If a check raises NotCheckedError, its result is NOT_CHECKED. If it raises CanonError, StateError or OSError, its
    result is FAILED.
    """
    seen = inspect(fleet, state)
    checks: Mapping[str, Callable[[Inspection], HostCheck]] = {
        "git": _git,
        "tools": _tools,
        "swarm": _swarm,
        "proxy": _proxy,
        "state": _state,
        "disk": _disk,
        "clock": _clock,
        "upstreams": _upstreams,
        "forge": _forge,
        "keys": _keys,
        "notify": check_notify,
        "unit": check_unit,
        "timer": check_timer,
        "environment": check_environment,
        "credentials": check_credentials,
    }
    for name, check in checks.items():
        yield _guarded(name, partial(check, seen))


def _guarded(name: str, check: Callable[[], HostCheck]) -> HostCheck:
    """Return the result of `check`. `name` is the name of the check.

    If `check` raises NotCheckedError, the result is NOT_CHECKED. If it raises CanonError, StateError or OSError, the
    result is FAILED. The result then has the error's message and hint.
    """
    try:
        return check()
    except NotCheckedError as unasked:
        return HostCheck(name, CheckResult.NOT_CHECKED, unasked.message, unasked.hint)
    except (CanonError, StateError, OSError) as failed:
        return HostCheck(name, CheckResult.FAILED, *message_and_hint(failed))


def _git(seen: Inspection) -> HostCheck:
    version, _, _ = place((), seen.environment, os.environ).tools["git"].partition(" ")
    return HostCheck("git", CheckResult.OK, version)


def _tools(seen: Inspection) -> HostCheck:
    missing = missing_programs(sorted(seen.tools), seen.environment)
    return host_checks.check_tools(missing, len(seen.tools))


def _swarm(seen: Inspection) -> HostCheck:
    if not any(recipe.driver in {"swarm", "abra"} for recipe in seen.fleet.recipes.values()):
        return HostCheck("swarm", CheckResult.NOT_CHECKED, "no recipe is deployed in one")
    from reconciler.host.swarm.swarm_check import check_swarm

    return check_swarm(seen.environment)


def _proxy(seen: Inspection) -> HostCheck:
    proxy = seen.fleet.swarm.proxy
    if proxy is None:
        return HostCheck("proxy", CheckResult.NOT_CHECKED, "the fleet declares none")
    from reconciler.host.proxy_certificate import certificate_end

    ends = certificate_end(proxy, f"doctor.{seen.fleet.swarm.zone}")
    if ends is None:
        return HostCheck("proxy", CheckResult.OK, f"{proxy} answers, without encryption")
    return host_checks.check_certificate(proxy, ends, datetime.now(UTC))


def _state(seen: Inspection) -> HostCheck:
    root = seen.state.root
    above = nearest_existing(root)
    if refused := _unusable(seen.state, above):
        return HostCheck("state", CheckResult.FAILED, *refused)
    seen.state.require_state_folder()
    if seen.fleet.name:
        require_fleet(seen.state.fleet_name, seen.fleet.name, seen.fleet.folder)
    if above != root:
        return HostCheck("state", CheckResult.OK, f"{root} is made by the first pass")
    SqliteRegistry(seen.state.database).verify()
    records = SqliteRegistry(seen.state.database).read()
    if damaged := {**_damaged(seen.state, records), **records.unreadable}:
        name, reason = min(damaged.items())
        hint = f"see: reconcile status {name}; the next pass repairs what it can"
        return HostCheck("state", CheckResult.FAILED, f"{len(damaged)} not intact; {name}: {reason}", hint)
    return _identity(seen.state, records)


def _identity(state: StateFolder, records: Records) -> HostCheck:
    """Return the check of the state folder's id. The caller has already found the content of the folder intact.

    The check is a WARNING if there are canonicals and the id is not valid, as after the state folder was copied.
    Otherwise it is OK.
    """
    if records.canonicals and read_identity(state.identity) is None:
        found = f"{state.root} was copied from elsewhere: its id is not valid"
        return HostCheck("state", CheckResult.WARNING, found, "the next pass gives it an id of its own")
    name = read_fleet_name(state.fleet_name)
    whose = f"of the fleet {name}" if name is not None else "the next pass records to which fleet it belongs"
    found = f"{len(records.canonicals)} canonicals intact, the ledger is whole; {whose}"
    return HostCheck("state", CheckResult.OK, found)


def _unusable(state: StateFolder, above: Path) -> tuple[str, str] | None:
    """Return why this user cannot use the state folder, and what to do; None if nothing prevents that.

    `above` is the nearest folder that exists. If it is the state folder itself, it and its folders must belong to this
    user. If it is a folder above, the state folder will be made in it.
    """
    if above != state.root:
        return _obstacle(read_access(above))
    for folder in (state.root, *state.parts):
        if not folder.exists():
            continue
        access = read_access(folder)
        if access.owner != access.user:
            found = f"{folder} belongs to {access.owner}, and this is {access.user}"
            return found, "run this as its owner, or give it to the user of the unit"
        if refused := _obstacle(access):
            return refused
    return None


def _obstacle(access: FolderAccess) -> tuple[str, str] | None:
    reason, hint = obstacle(access)
    return (reason, hint) if reason else None


def _damaged(state: StateFolder, records: Records) -> dict[str, str]:
    """Return the recipes whose canonical has a snapshot that is not intact, each with the reason."""
    statuses = snapshot_statuses(SealedSnapshots(), state, records)
    return {name: status.reason for name, status in statuses.items() if status.state is not State.INTACT}


def _disk(seen: Inspection) -> HostCheck:
    disk = os.statvfs(nearest_existing(seen.state.root))
    largest = max((each.seal.bytes for each in seen.records.canonicals.values()), default=0)
    return host_checks.check_disk(disk.f_bavail * disk.f_frsize, disk.f_favail, largest)


def _clock(seen: Inspection) -> HostCheck:
    promoted = max((canonical.promoted_at for canonical in seen.records.canonicals.values()), default=None)
    synchronised = systemd.is_clock_synchronised(seen.environment)
    return check_clock(datetime.now(UTC), _last_line_at(seen.state), promoted, synchronised=synchronised)


def _last_line_at(state: StateFolder) -> datetime | None:
    """Return the time of the ledger's last line; None if there is none, or the registry cannot be read."""
    with suppress(StateError):
        return next((line.entry.at for line in reversed(SqliteRegistry(state.database).lines())), None)
    return None


def _upstreams(seen: Inspection) -> HostCheck:
    questions = [TagQuery(recipe, None) for recipe in seen.fleet.recipes.values()]
    replies = GitUpstream(seen.environment, seen.fleet.protocols).ask(questions)
    unreadable = {name: reply.reason for name, reply in replies.items() if isinstance(reply, Unobservable)}
    return host_checks.check_upstreams(unreadable, len(questions))


def _forge(seen: Inspection) -> HostCheck:
    if not seen.fleet.mirror.push or not seen.fleet.recipes:
        return HostCheck("forge", CheckResult.NOT_CHECKED, "nothing is pushed to one")
    from reconciler.host.git.forge import GitForge

    first = min(seen.fleet.recipes)
    forge = GitForge(seen.state, seen.environment, seen.fleet.protocols, seen.fleet.mirror)
    try:
        refs = forge.list_refs(first)
    except InfrastructureError as failed:
        hint = failed.hint or f"try: git ls-remote {forge.target.address(first)}"
        return HostCheck("forge", CheckResult.FAILED, failed.message, hint)
    return HostCheck("forge", CheckResult.OK, f"it has {len(refs)} refs of {first}")


def _keys(seen: Inspection) -> HostCheck:
    signed = [recipe.name for recipe in seen.fleet.recipes.values() if recipe.signed]
    if not signed:
        return HostCheck("keys", CheckResult.NOT_CHECKED, "no recipe needs signed releases")
    from reconciler.host.git.tag_signatures import import_keys

    folder = seen.fleet.folder / KEYS
    imported = import_keys(folder, seen.environment)
    signers = (folder / ALLOWED_SIGNERS).is_file()
    if signers and (missing := missing_programs(["ssh-keygen"], seen.environment)):
        return HostCheck("keys", CheckResult.FAILED, f"not in PATH: {missing[0]}", "it checks tags signed by SSH keys")
    with_ssh = f", and {ALLOWED_SIGNERS}" if signers else ""
    return HostCheck("keys", CheckResult.OK, f"{folder} has {imported} OpenPGP keys{with_ssh}")
