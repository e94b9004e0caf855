"""What is added to a recipe's own stack: names, marks, the published port. Pure."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from reconciler.crossing import App
from reconciler.errors import RecipeError

# Labels of services, volumes, networks, secrets and configs; never of containers, which they would replace.
SLOT = "canon.slot"
COMMIT = "canon.commit"
ADDRESS = "canon.address"
PEER = "canon.peer"
NAMESPACE = "com.docker.stack.namespace"

APP = "app"

_SERVER_PORT = re.compile(r"traefik\.(?:http|tcp|udp)\.services\.[^.]+\.loadbalancer\.server\.port")
# A name of an object in a swarm has at most 63 characters, of which `_` and the recipe's own part need most.
_OF_RECIPE = 20

Config = Mapping[str, Any]


@frozen
class Stack:
    """One app's stack. `domain` is the recipe's, the same in every slot."""

    name: str
    recipe: str
    mark: str
    domain: str

    @property
    def app(self) -> str:
        return f"{self.name}_{APP}"

    def label(self, what: str) -> str:
        """A label that Co-op Cloud's own commands look for."""
        return f"coop-cloud.{self.name}.{what}"

    def logical(self, name: str) -> str:
        """What the recipe calls an object that bears `name` in the swarm."""
        return name.removeprefix(f"{self.name}_")


def stack_of(app: App, zone: str) -> Stack:
    digest = hashlib.sha256(f"{app.mark}\0{app.recipe}".encode()).hexdigest()[:8]
    return Stack(f"{app.recipe[:_OF_RECIPE]}-{digest}", app.recipe, app.mark, f"{app.recipe}.{zone}")


@frozen
class Door:
    """How the tests reach the app: `published` is a free port for the container's port `target`.

    None for either where a proxy, or a port that the recipe itself publishes, leads there.
    """

    address: str
    url: str
    target: int | None = None
    published: int | None = None


@frozen
class Release:
    """What is deployed, as labels tell it."""

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)


def own_port(config: Config, target: int | None = None) -> int | None:
    """The TCP port of the host that the app publishes by itself: for the container's `target`, where that is known."""
    published = [
        port
        for port in _service(config).get("ports", ())
        if port.get("protocol", "tcp") == "tcp" and port.get("published")
    ]
    return next((int(port["published"]) for port in published if target in {None, int(port["target"])}), None)


def server_port(config: Config) -> int | None:
    """The container's port to which the recipe's labels let its proxy lead."""
    labels = _service(config).get("deploy", {}).get("labels", {})
    found = [value for name, value in labels.items() if _SERVER_PORT.fullmatch(name)]
    return int(found[0]) if found and str(found[0]).isdecimal() else None


def claims(config: Config) -> Mapping[str, str]:
    """Fixed ports of the host, such as "64738/udp", each with the service that publishes it."""
    return {
        f"{port['published']}/{port.get('protocol', 'tcp')}": name
        for name, service in config["services"].items()
        for port in service.get("ports", ())
        if port.get("published")
    }


def images(config: Config) -> tuple[str, ...]:
    return tuple(sorted({service["image"] for service in config["services"].values() if service.get("image")}))


def files(config: Config) -> Iterator[tuple[str, str]]:
    """The files of the host that go into configs and secrets, each with what names it."""
    for kind in ("configs", "secrets"):
        for name, value in (config.get(kind) or {}).items():
            if value and "file" in value:
                yield f"{kind[:-1]} {name}", value["file"]


def outside(config: Config) -> tuple[str, ...]:
    """Volumes that the recipe does not make itself: what is in them belongs to no slot."""
    volumes = config.get("volumes") or {}
    return tuple(name for name, value in volumes.items() if _external(value) or _leads_elsewhere(value or {}))


def bound(config: Config) -> Iterator[tuple[str, str]]:
    """Paths of the host that a service may write to, each with the service."""
    for name, service in config["services"].items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == "bind" and not mount.get("read_only"):
                yield name, mount["source"]


def _leads_elsewhere(volume: Config) -> bool:
    """Docker's own driver also mounts folders of this host and of others, each into as many volumes as one likes."""
    options = volume.get("driver_opts") or {}
    return bool(options.get("device")) and options.get("type") != "tmpfs"


def overlay(config: Config, stack: Stack, release: Release, door: Door) -> Config:
    """One more compose file, to be laid over the recipe's by whoever deploys them."""
    escaped: Config = _escaped(_ours(config, stack, release, door))
    return escaped


def whole(config: Config, stack: Stack, release: Release, door: Door) -> Config:
    """One compose file for all: what the recipe's come to, with ours laid in."""
    escaped: Config = _escaped(_merged(config, _ours(config, stack, release, door)))
    return escaped


def with_all_ports(config: Config, each: Iterable[Config]) -> Config:
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


def _merged(config: Config, laid: Config) -> Config:
    """Tables key by key, lists one after the other."""
    merged = dict(config)
    for key, value in laid.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        elif isinstance(value, list) and isinstance(merged.get(key), list):
            merged[key] = [*merged[key], *value]
        else:
            merged[key] = value
    return merged


def _ours(config: Config, stack: Stack, release: Release, door: Door) -> Config:
    return {
        "version": str(config.get("version", "3.8")),
        "services": {name: _laid_over(name, config, stack, release, door) for name in config["services"]},
        "volumes": _own(config, "volumes", stack),
        "networks": _default_network(config, stack) | _own(config, "networks", stack),
        "configs": _own(config, "configs", stack),
        "secrets": _own(config, "secrets", stack),
    }


def _laid_over(name: str, config: Config, stack: Stack, release: Release, door: Door) -> Config:
    service = config["services"][name]
    environment = service.get("environment") or {}
    missing = {key: value for key, value in release.settings.items() if key not in environment}
    laid: dict[str, Any] = {"environment": missing, "deploy": {"labels": _labels(name, config, stack, release, door)}}
    if name == APP and door.published is not None:
        laid["ports"] = [{"target": door.target, "published": door.published, "mode": "host"}]
        # Two tasks cannot hold one port of the host: a new one that starts first would wait for ever.
        laid["deploy"]["update_config"] = {"order": "stop-first"}
    return laid


def _labels(name: str, config: Config, stack: Stack, release: Release, door: Door) -> Mapping[str, str]:
    ours = {SLOT: stack.mark, COMMIT: release.commit}
    if name != APP:
        return ours
    port = server_port(config)
    reached = {ADDRESS: f"{door.address} {door.url}"} | ({PEER: f"{stack.app}:{port}"} if port else {})
    theirs = {"recipe": stack.recipe, "version": release.version, "chaos": "false"}
    return {**ours, **reached, **{stack.label(what): said for what, said in theirs.items()}}


def _own(config: Config, kind: str, stack: Stack) -> dict[str, Any]:
    """What the recipe makes, with our mark and a name of the slot's own, also where the recipe gives it a fixed one.

    Docker replaces the whole of such an object by what a later file says of it: so all is said again.
    """
    made = {name: value or {} for name, value in (config.get(kind) or {}).items() if not _external(value)}
    return {
        name: {
            **value,
            "name": _own_name(kind, name, value, stack),
            "labels": {**(value.get("labels") or {}), SLOT: stack.mark},
        }
        for name, value in made.items()
    }


def _own_name(kind: str, name: str, value: Config, stack: Stack) -> str:
    """Configs and secrets cannot be changed, so recipes put a version into their names: it stays there."""
    versioned = str(value.get("name") or name) if kind in {"configs", "secrets"} else name
    return f"{stack.name}_{stack.logical(versioned)}"


def _default_network(config: Config, stack: Stack) -> dict[str, Any]:
    """The network of services that name none is made by Docker, and is to bear our mark too."""
    if "default" in (config.get("networks") or {}):
        return {}
    if all(service.get("networks") for service in config["services"].values()):
        return {}
    return {"default": {"labels": {SLOT: stack.mark}}}


def _external(value: Config | None) -> bool:
    return bool(value and value.get("external"))


def _service(config: Config) -> Config:
    service: Config | None = (config.get("services") or {}).get(APP)
    if service is None:
        raise RecipeError(f"the recipe has no service {APP}", "Co-op Cloud's format wants one of that name")
    return service


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """As a compose file wants it, in which a single `$` begins a variable."""
    if isinstance(value, Mapping):
        return {name: _escaped(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_escaped(part) for part in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
