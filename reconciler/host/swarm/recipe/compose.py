"""Reads facts such as ports, images and mounts from the output of `docker stack config`. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from reconciler.errors import RecipeError

APP = "app"

Config = Mapping[str, Any]


@frozen
class Mount:
    """A mount of a volume or a folder in a service.

    * `service`: the name of the service.
    * `source`: the name of the volume, or a path on the host.
    * `written`: False if it is mounted read-only, True if the service may write to it.
    """

    service: str
    source: str
    written: bool


def published_ports(config: Config) -> Mapping[str, str]:
    """Return the host ports that services publish. A key is such as "64738/udp"; its value is the service's name."""
    return {
        f"{port['published']}/{port.get('protocol', 'tcp')}": name
        for name, service in config["services"].items()
        for port in service.get("ports", ())
        if port.get("published")
    }


def images(config: Config) -> tuple[str, ...]:
    """Return the images of all services, sorted and without duplicates."""
    return tuple(sorted({service["image"] for service in config["services"].values() if service.get("image")}))


def file_sources(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each config and secret that is made from a file: a text such as "config app", and the path of the file."""
    for kind in ("configs", "secrets"):
        for name, value in (config.get(kind) or {}).items():
            if value and "file" in value:
                yield f"{kind[:-1]} {name}", value["file"]


def shared_volumes(config: Config) -> tuple[str, ...]:
    """Return the volumes that slots would share: volumes that are external or on a device, and are written to.

    A volume counts as written to unless it is mounted read-only.
    """
    volumes = config.get("volumes") or {}
    elsewhere = {name for name, value in volumes.items() if is_external(value) or _leads_elsewhere(value or {})}
    return tuple(mount.source for mount in mounts(config, "volume") if mount.source in elsewhere and mount.written)


def mounts(config: Config, kind: str) -> Iterator[Mount]:
    """Yield the mounts of one kind: "volume" (`source` is a name) or "bind" (`source` is a path on the host)."""
    for name, service in config["services"].items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == kind and mount.get("source"):
                yield Mount(name, mount["source"], not mount.get("read_only"))


def empty_variables(config: Config) -> frozenset[str]:
    """Return the names of the environment variables that services declare without a value.

    Docker's client would fill in such a variable from its own environment.
    """
    services = config["services"].values()
    return frozenset(name for one in services for name, value in (one.get("environment") or {}).items() if not value)


def has_ports(config: Config) -> bool:
    """Return whether any service publishes a port."""
    return any(service.get("ports") for service in config["services"].values())


def restore_ports(config: Config, unmerged: Iterable[Config]) -> Config:
    """Return `config` with the ports that were lost when Docker's client merged several compose files into it.

    `unmerged` has one configuration for each of these files: what the client makes of the file alone. The client loses
    ports because it compares only their numbers: of a TCP and a UDP port with the same number, only the last stays.
    """
    ports: dict[str, dict[tuple[object, object], Config]] = {}
    for single in unmerged:
        for name, service in (single.get("services") or {}).items():
            for port in service.get("ports") or ():
                key = (port.get("published") or port.get("target"), port.get("protocol", "tcp"))
                ports.setdefault(name, {})[key] = port
    services = {name: service | _ports(ports.get(name)) for name, service in config["services"].items()}
    return {**config, "services": services}


def _ports(ports: Mapping[tuple[object, object], Config] | None) -> dict[str, Any]:
    """Return {"ports": LIST}, where LIST has the values of `ports`, the ports of a service; {} if there are none."""
    return {"ports": list(ports.values())} if ports else {}


def is_external(value: Config | None) -> bool:
    return bool(value and value.get("external"))


def _leads_elsewhere(volume: Config) -> bool:
    """Return whether a volume's driver options name a folder or device, which another volume can mount too."""
    options = volume.get("driver_opts") or {}
    return bool(options.get("device")) and options.get("type") != "tmpfs"


def scaled_to_zero(config: Config) -> tuple[str, ...]:
    """Return the services that have `deploy.replicas: 0`."""
    deploys = {name: service.get("deploy") or {} for name, service in config["services"].items()}
    return tuple(name for name, deploy in deploys.items() if deploy.get("replicas") == 0)


def tmpfs_mounts(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the service and the path of each `tmpfs` entry. Docker's client accepts these entries and ignores them."""
    for name, service in config["services"].items():
        value = service.get("tmpfs") or ()
        for path in (value,) if isinstance(value, str) else value:
            yield name, path


def app_service(config: Config) -> Config:
    """Return the fields of the service `app`. Raise RecipeError if there is no such service."""
    service: Config | None = (config.get("services") or {}).get(APP)
    if service is None:
        raise RecipeError(f"the recipe has no service {APP}", "Co-op Cloud's format wants one of that name")
    return service
