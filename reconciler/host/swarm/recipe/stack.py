"""What is added to a recipe's own stack: names, marks, the published port. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from reconciler.host.swarm.recipe.compose import APP, Config, is_external
from reconciler.host.swarm.recipe.overlays import naming_version
from reconciler.ports.app import App

# Labels of services, volumes, networks, secrets and configs; never of containers, which they would replace.
SLOT = "canon.slot"
STATE = "canon.state"
COMMIT = "canon.commit"
ADDRESS = "canon.address"
PEER = "canon.peer"
NAMESPACE = "com.docker.stack.namespace"

# A name of an object in a swarm has at most 63 characters, of which `_` and the recipe's own part need most.
_OF_RECIPE = 20

# A proxy that serves this host's own apps would lead their visitors to what is only tried.
_UNROUTED = {"traefik.enable": "false"}


@frozen
class Stack:
    """One app's stack. `domain` is the recipe's, the same in every slot.

    `state` is the id of the state folder that the slot lies in, "" where it has none.
    """

    name: str
    recipe: str
    mark: str
    domain: str
    state: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """What marks an object as one of this slot."""
        return {SLOT: self.mark} | ({STATE: self.state} if self.state else {})

    @property
    def label_options(self) -> tuple[str, ...]:
        """The same as options of Docker's commands."""
        return tuple(word for name, value in self.labels.items() for word in ("--label", f"{name}={value}"))

    @property
    def app(self) -> str:
        return f"{self.name}_{APP}"

    def label(self, what: str) -> str:
        """A label that Co-op Cloud's own commands look for."""
        return f"coop-cloud.{self.name}.{what}"

    def logical(self, name: str) -> str:
        """What the recipe calls an object that bears `name` in the swarm."""
        return name.removeprefix(f"{self.name}_")


def stack_of(app: App, zone: str, state: str = "") -> Stack:
    """The stack of an app in a slot of the state folder with the id `state`, "" where it has none."""
    place = f"{state}\0{app.mark}\0{app.recipe}" if state else f"{app.mark}\0{app.recipe}"
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    return Stack(f"{app.recipe[:_OF_RECIPE]}-{digest}", app.recipe, app.mark, f"{app.recipe}.{zone}", state)


@frozen
class Endpoint:
    """How the tests reach the app: the `service` which listens at the container's port `target`.

    `published` is a free port of the host that leads there; None where a proxy, or a port that the recipe itself
    publishes, does. `proxied` says that a proxy does. `target` is None where the app listens nowhere, and is reached by
    no address.
    """

    address: str = ""
    url: str = ""
    target: int | None = None
    published: int | None = None
    proxied: bool = False
    service: str = APP
    protocol: str = "tcp"


@frozen
class ComposeRelease:
    """What is deployed, as labels tell it."""

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)


def overlay_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """One more compose file, to be laid over the recipe's by whoever deploys them."""
    escaped: Config = _escaped(_additions(config, stack, release, endpoint))
    return escaped


def merged_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """One compose file for all: what the recipe's come to, with ours laid in."""
    escaped: Config = _escaped(_merged(config, _additions(config, stack, release, endpoint)))
    return escaped


def _merged(config: Config, added: Config) -> Config:
    """Tables key by key, lists one after the other."""
    merged = dict(config)
    for key, value in added.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        elif isinstance(value, list) and isinstance(merged.get(key), list):
            merged[key] = [*merged[key], *value]
        else:
            merged[key] = value
    return merged


def _additions(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    return {
        "version": naming_version(str(config.get("version", "3.8"))),
        "services": {name: _service_additions(name, config, stack, release, endpoint) for name in config["services"]},
        "volumes": _labelled_objects(config, "volumes", stack),
        "networks": _default_network(config, stack) | _labelled_objects(config, "networks", stack),
        "configs": _labelled_objects(config, "configs", stack),
        "secrets": _labelled_objects(config, "secrets", stack),
    }


def _service_additions(name: str, config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    service = config["services"][name]
    added: dict[str, Any] = {"deploy": {"labels": _labels(name, stack, release, endpoint)}}
    if name == APP:
        # Co-op Cloud's own tool gives all settings to this service alone; the others get what their file says.
        environment = service.get("environment") or {}
        added["environment"] = {key: value for key, value in release.settings.items() if key not in environment}
    if name == endpoint.service and endpoint.published is not None:
        protocol = {} if endpoint.protocol == "tcp" else {"protocol": endpoint.protocol}
        added["ports"] = [{"target": endpoint.target, "published": endpoint.published, "mode": "host", **protocol}]
        # Two tasks cannot hold one port of the host: a new one that starts first would wait for ever.
        added["deploy"]["update_config"] = {"order": "stop-first"}
    return added


def _labels(name: str, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Mapping[str, str]:
    ours = {**stack.labels, COMMIT: release.commit} | ({} if endpoint.proxied else _UNROUTED)
    if name != APP:
        return ours
    reached = {ADDRESS: f"{endpoint.address} {endpoint.url}"} if endpoint.address else {}
    reached |= {PEER: f"{stack.name}_{endpoint.service}:{endpoint.target}"} if endpoint.target else {}
    theirs = {"recipe": stack.recipe, "version": release.version, "chaos": "false"}
    return {**ours, **reached, **{stack.label(what): value for what, value in theirs.items()}}


def _labelled_objects(config: Config, kind: str, stack: Stack) -> dict[str, Any]:
    """What the recipe makes, with our mark and a name of the slot's own, also where the recipe gives it a fixed one.

    Docker replaces the whole of such an object by what a later file says of it: so all is said again.
    """
    made = {name: value or {} for name, value in (config.get(kind) or {}).items() if not is_external(value)}
    return {
        name: {
            **value,
            "name": object_name(kind, name, value, stack),
            "labels": {**(value.get("labels") or {}), **stack.labels},
        }
        for name, value in made.items()
    }


def object_name(kind: str, name: str, value: Config, stack: Stack) -> str:
    """Configs and secrets cannot be changed, so recipes put a version into their names: it stays there."""
    versioned = str(value.get("name") or name) if kind in {"configs", "secrets"} else name
    return f"{stack.name}_{stack.logical(versioned)}"


def _default_network(config: Config, stack: Stack) -> dict[str, Any]:
    """The network of services that name none is made by Docker, and is to bear our mark too."""
    if "default" in (config.get("networks") or {}):
        return {}
    if all(service.get("networks") for service in config["services"].values()):
        return {}
    return {"default": {"labels": {**stack.labels}}}


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """As a compose file wants it, in which a single `$` begins a variable."""
    if isinstance(value, Mapping):
        return {name: _escaped(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_escaped(part) for part in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
