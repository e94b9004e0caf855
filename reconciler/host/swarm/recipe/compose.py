"""Reads ports, images, mounts and the like from the output of `docker stack config`. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from reconciler.errors import RecipeError

APP = "app"

Config = Mapping[str, Any]


@frozen
class Mount:
    """A mount of a service. `source` is a volume or a host path; `written` is True if the mount is not read-only."""

    service: str
    source: str
    written: bool


def published_ports(config: Config) -> Mapping[str, str]:
    """Return the fixed host ports, such as "64738/udp", each with the service that publishes it."""
    return {
        f"{port['published']}/{port.get('protocol', 'tcp')}": name
        for name, service in config["services"].items()
        for port in service.get("ports", ())
        if port.get("published")
    }


def images(config: Config) -> tuple[str, ...]:
    return tuple(sorted({service["image"] for service in config["services"].values() if service.get("image")}))


def file_sources(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each config and secret that is made from a file: its kind and name, such as "config app", and the file."""
    for kind in ("configs", "secrets"):
        for name, value in (config.get(kind) or {}).items():
            if value and "file" in value:
                yield f"{kind[:-1]} {name}", value["file"]


def shared_volumes(config: Config) -> tuple[str, ...]:
    """Return the writable volumes that are external or on a device: other slots would share their data."""
    volumes = config.get("volumes") or {}
    elsewhere = {name for name, value in volumes.items() if is_external(value) or _leads_elsewhere(value or {})}
    return tuple(mount.source for mount in mounts(config, "volume") if mount.source in elsewhere and mount.written)


def mounts(config: Config, kind: str) -> Iterator[Mount]:
    """Yield the mounts of one kind: "volume" (`source` is a name) or "bind" (`source` is a host path)."""
    for name, service in config["services"].items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == kind and mount.get("source"):
                yield Mount(name, mount["source"], not mount.get("read_only"))


def empty_variables(config: Config) -> frozenset[str]:
    """Return the variables that a service lists without a value: Docker's client fills them from its environment."""
    services = config["services"].values()
    return frozenset(name for one in services for name, value in (one.get("environment") or {}).items() if not value)


def restore_ports(config: Config, each: Iterable[Config]) -> Config:
    """Return `config`, the merge of several files, with all their ports. `each` has these files, each resolved alone.

    Docker's client merges ports by their number alone: of a TCP and a UDP port with one number it keeps only the last.
    """
    ports: dict[str, dict[tuple[object, object], Config]] = {}
    for single in each:
        for name, service in (single.get("services") or {}).items():
            for port in service.get("ports") or ():
                key = (port.get("published") or port.get("target"), port.get("protocol", "tcp"))
                ports.setdefault(name, {})[key] = port
    services = {name: service | _ports(ports.get(name)) for name, service in config["services"].items()}
    return {**config, "services": services}


def _ports(found: Mapping[tuple[object, object], Config] | None) -> dict[str, Any]:
    return {"ports": list(found.values())} if found else {}


def is_external(value: Config | None) -> bool:
    return bool(value and value.get("external"))


def _leads_elsewhere(volume: Config) -> bool:
    """Whether a volume of Docker's local driver mounts a folder or device, which other volumes can mount too."""
    options = volume.get("driver_opts") or {}
    return bool(options.get("device")) and options.get("type") != "tmpfs"


def scaled_to_zero(config: Config) -> tuple[str, ...]:
    """Return the services with `deploy.replicas: 0`."""
    deploys = {name: service.get("deploy") or {} for name, service in config["services"].items()}
    return tuple(name for name, deploy in deploys.items() if deploy.get("replicas") == 0)


def tmpfs_mounts(config: Config) -> Iterator[tuple[str, str]]:
    """Yield service and path of each `tmpfs`. Docker's client reads and prints them, but does not deploy them."""
    for name, service in config["services"].items():
        value = service.get("tmpfs") or ()
        for path in (value,) if isinstance(value, str) else value:
            yield name, path


def app_service(config: Config) -> Config:
    service: Config | None = (config.get("services") or {}).get(APP)
    if service is None:
        raise RecipeError(f"the recipe has no service {APP}", "Co-op Cloud's format wants one of that name")
    return service
