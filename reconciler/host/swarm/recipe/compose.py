"""What a recipe's compose files ask for, from what Docker's client makes of them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from reconciler.errors import RecipeError

APP = "app"

Config = Mapping[str, Any]


@frozen
class Mount:
    """What a service has of the host or of a volume; `written` says that it may write there."""

    service: str
    source: str
    written: bool


def published_ports(config: Config) -> Mapping[str, str]:
    """Fixed ports of the host, such as "64738/udp", each with the service that publishes it."""
    return {
        f"{port['published']}/{port.get('protocol', 'tcp')}": name
        for name, service in config["services"].items()
        for port in service.get("ports", ())
        if port.get("published")
    }


def images(config: Config) -> tuple[str, ...]:
    return tuple(sorted({service["image"] for service in config["services"].values() if service.get("image")}))


def file_sources(config: Config) -> Iterator[tuple[str, str]]:
    """The files of the host that go into configs and secrets, each with what names it."""
    for kind in ("configs", "secrets"):
        for name, value in (config.get(kind) or {}).items():
            if value and "file" in value:
                yield f"{kind[:-1]} {name}", value["file"]


def shared_volumes(config: Config) -> tuple[str, ...]:
    """Volumes to which a service may write, and which the recipe does not make itself: no slot has them alone."""
    volumes = config.get("volumes") or {}
    elsewhere = {name for name, value in volumes.items() if is_external(value) or _leads_elsewhere(value or {})}
    return tuple(mount.source for mount in mounts(config, "volume") if mount.source in elsewhere and mount.written)


def mounts(config: Config, kind: str) -> Iterator[Mount]:
    """Those of one kind: "volume", of which `source` is a name, or "bind", of which it is a path of the host."""
    for name, service in config["services"].items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == kind and mount.get("source"):
                yield Mount(name, mount["source"], not mount.get("read_only"))


def empty_variables(config: Config) -> frozenset[str]:
    """The variables to which a service gives no value, or an empty one: Docker's client fills in its own."""
    services = config["services"].values()
    return frozenset(name for one in services for name, value in (one.get("environment") or {}).items() if not value)


def restore_ports(config: Config, each: Iterable[Config]) -> Config:
    """The merged files with the ports of `each` single one, in their order.

    Docker's client merges ports by their number alone: of one number for TCP and for UDP it keeps the last.
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
    """Docker's own driver also mounts folders of this host and of others, each into as many volumes as one likes."""
    options = volume.get("driver_opts") or {}
    return bool(options.get("device")) and options.get("type") != "tmpfs"


def scaled_to_zero(config: Config) -> tuple[str, ...]:
    """The services that are scaled to zero: nothing of them ever runs."""
    deploys = {name: service.get("deploy") or {} for name, service in config["services"].items()}
    return tuple(name for name, deploy in deploys.items() if deploy.get("replicas") == 0)


def tmpfs_mounts(config: Config) -> Iterator[tuple[str, str]]:
    """Service and path of each `tmpfs`, which Docker's client reads, prints, and leaves out of what it deploys."""
    for name, service in config["services"].items():
        value = service.get("tmpfs") or ()
        for path in (value,) if isinstance(value, str) else value:
            yield name, path


def app_service(config: Config) -> Config:
    service: Config | None = (config.get("services") or {}).get(APP)
    if service is None:
        raise RecipeError(f"the recipe has no service {APP}", "Co-op Cloud's format wants one of that name")
    return service
