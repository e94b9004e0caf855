"""Compares what runs with what is recorded: kept deployments in Docker, and processes of this state folder."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.audit.claims import Claim, checked, not_asked
from reconciler.audit.programs import Programs
from reconciler.audit.records import ClaimedRelease

_SLOT, _STATE, _COMMIT = "canon.slot", "canon.state", "canon.commit"
_SERVICE = "service "
_SLOT_MARK = re.compile(rb"(?:^|\0)CANON_SLOT=([^\0]*)")
# A digest of an image, which a record keeps with its first 12 hex digits only.
_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]+")
_ABOUT = "kept deployment"


def deployment_claims(
    recipe: str, kept: Path, state_id: str, newest: ClaimedRelease | None, programs: Programs
) -> Iterator[Claim]:
    """Yield one claim: the running services of a recipe's kept deployment are those that were recorded.

    If Docker cannot be asked, the claim is NOT_ASKED.

    * `kept`: the folder with the records of kept deployments. If there is no record of this recipe, yield nothing.
    * `state_id`: the id of the state folder. Only services with this id as a label count. If it is "", all services
      count.
    * `newest`: the newest recorded generation, which must be the deployed one; None for none.
    """
    path = kept / f"{recipe}.json"
    if not path.exists():
        return
    try:
        record = json.loads(path.read_bytes())
        parts, missing, generation = record["parts"], record["missing"], record["generation"]
    except (ValueError, KeyError, TypeError, RecursionError):
        yield checked(recipe, _ABOUT, f"kept/{path.name} is not what was written there")
        return
    services = _services(str(kept / recipe), state_id, programs)
    if isinstance(services, str):
        yield not_asked(recipe, _ABOUT, f"Docker could not be asked: {services}")
    elif missing:
        yield checked(recipe, _ABOUT, *(f"{name} runs, though it is recorded as missing" for name in services))
    else:
        yield checked(recipe, _ABOUT, *_differences(parts, generation, newest, services))


def _services(slot: str, state_id: str, programs: Programs) -> Mapping[str, Mapping[str, Any]] | str:
    """Return Docker's JSON of each service in the slot with the path `slot`, by the name of the service.

    Only services with the label of the state folder `state_id` count. If `state_id` is "", all services in the slot
    count. If Docker cannot be asked, return the reason as text.
    """
    filters = ["--filter", f"label={_SLOT}={slot}", *(["--filter", f"label={_STATE}={state_id}"] if state_id else [])]
    listed = programs.docker("service", "ls", *filters, "--format", "{{.ID}}")
    ids = listed.out.decode("ascii", "replace").split()
    if not listed.ok or not ids:
        return {} if listed.ok else listed.why
    found = programs.docker("service", "inspect", *ids)
    if not found.ok:
        return found.why
    return {service["Spec"]["Name"]: service["Spec"] for service in json.loads(found.out)}


def _differences(
    parts: Mapping[str, Mapping[str, str]],
    generation: int,
    newest: ClaimedRelease | None,
    services: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    """Yield a text for each difference between the running services and the recorded deployment.

    * `parts`: the recorded parts of the deployment, with facts about each.
    * `generation`: the generation that was deployed. If it is not `newest`, one text says so, and no other follows.
    * `newest`: the newest recorded generation; None for none.
    * `services`: maps names of running services to Docker's JSON of them.
    """
    if newest is None or generation != newest.generation:
        yield f"it is of generation {generation}, and {newest.generation if newest else 'none'} is recorded"
        return
    recorded = {name.removeprefix(_SERVICE): facts for name, facts in parts.items() if name.startswith(_SERVICE)}
    yield from (f"service {name} is gone" for name in sorted(recorded.keys() - services.keys()))
    yield from (f"service {name} is in no record" for name in sorted(services.keys() - recorded.keys()))
    for name in sorted(recorded.keys() & services.keys()):
        spec, facts = services[name], recorded[name]
        image = _DIGEST.sub(r"\1", spec["TaskTemplate"]["ContainerSpec"]["Image"])
        if image != facts.get("image", image):
            yield f"service {name} has the image {image}, and {facts['image']} is recorded"
        commit = spec["Labels"].get(_COMMIT, facts.get("commit"))
        if commit != facts.get("commit", commit):
            yield f"service {name} has the commit {commit}, and {facts['commit']} is recorded"


def process_claims(state: Path) -> Iterator[Claim]:
    """Yield one claim: every slot in which processes run is locked by a process. `state` is the state folder.

    If a slot has processes and no lock, the command that started them has died. If the locks cannot be read, the claim
    is NOT_ASKED.
    """
    work = state / "work"
    slots = {mark.relative_to(work).parts[0] for mark in _marks() if mark != work and mark.is_relative_to(work)}
    try:
        stray = sorted(name for name in slots if not _is_locked(work / name / "lock"))
    except OSError as failed:
        yield not_asked("", "processes", f"the locks of {work} could not be read: {failed.strerror}")
        return
    yield checked("", "processes", *(f"processes run in work/{name}, and nobody holds its lock" for name in stray))


def _marks() -> Iterator[Path]:
    """Yield the path of a slot for each process that runs in one: the value of the process's variable CANON_SLOT."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if match := _SLOT_MARK.search(path.read_bytes()):
                yield Path(match[1].decode("utf-8", "surrogateescape"))


def _is_locked(path: Path) -> bool:
    """Return whether a process holds a lock on the file `path`. Raise OSError if `/proc/locks` cannot be read."""
    try:
        handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        place = (*_device(handle), os.fstat(handle).st_ino)
    finally:
        os.close(handle)
    lines = [line.split() for line in Path("/proc/locks").read_text("ascii").splitlines()]
    return any(fields[1] == "FLOCK" and _listed_place(fields[5]) == place for fields in lines)


def _listed_place(field: str) -> tuple[int, int, int]:
    """Return major and minor number of the device, and the inode, of a field such as "fd:01:393230" of /proc/locks."""
    major, minor, inode = field.split(":")
    return int(major, 16), int(minor, 16), int(inode)


def _device(handle: int) -> tuple[int, int]:
    """Return the numbers (major, minor) of the device of an open file, as `/proc/locks` has them.

    `handle` is the descriptor of the file. The numbers come from the kernel's list of mounts, because `stat` reports
    another device on btrfs and on an overlay (seen with Linux 6.18).
    """
    _, _, rest = Path(f"/proc/self/fdinfo/{handle}").read_text("ascii").partition("mnt_id:")
    mount, *_ = rest.split()
    lines = [line.split() for line in Path("/proc/self/mountinfo").read_bytes().splitlines()]
    major, minor = next(fields[2] for fields in lines if fields[0] == mount.encode()).split(b":")
    return int(major), int(minor)
