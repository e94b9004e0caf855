"""Canon's additions to a recipe's stack: names, labels, the published port. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from reconciler.host.swarm.recipe.compose import APP, Config, is_external
from reconciler.host.swarm.recipe.overlays import naming_version
from reconciler.ports.app import App

# Labels of services, volumes, networks, secrets and configs. Never of containers: a changed label would replace them.
SLOT = "canon.slot"
STATE = "canon.state"
COMMIT = "canon.commit"
ADDRESS = "canon.address"
PEER = "canon.peer"
NAMESPACE = "com.docker.stack.namespace"

# In characters. The name of a Swarm object has at most 63, and the recipe's part of it needs most of them.
_OF_RECIPE = 20

# Otherwise a proxy for this host's real apps would send their visitors to an app under test.
_UNROUTED = {"traefik.enable": "false"}


@frozen
class Stack:
    """The stack of one app. `domain` is the same in every slot of the recipe.

    `state` is the id of the state folder, "" if it has none.
    """

    name: str
    recipe: str
    mark: str
    domain: str
    state: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that mark an object as part of this slot."""
        return {SLOT: self.mark} | ({STATE: self.state} if self.state else {})

    @property
    def app(self) -> str:
        return f"{self.name}_{APP}"

    def label(self, what: str) -> str:
        """Return the full name of a label that abra reads: for "version", "coop-cloud.STACK.version"."""
        return f"coop-cloud.{self.name}.{what}"

    def logical(self, name: str) -> str:
        """Return the recipe's name of the Swarm object `name`."""
        return name.removeprefix(f"{self.name}_")


def stack_of(app: App, zone: str, state: str = "") -> Stack:
    """Return the stack of an app. `zone` is the DNS zone of its domain, `state` the state folder's id, "" for none."""
    place = f"{state}\0{app.mark}\0{app.recipe}" if state else f"{app.mark}\0{app.recipe}"
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    return Stack(f"{app.recipe[:_OF_RECIPE]}-{digest}", app.recipe, app.mark, f"{app.recipe}.{zone}", state)


@frozen
class Endpoint:
    """How tests reach the app: `service` listens on the container port `target`, None if it listens on no port.

    `published` is a free host port that Canon publishes; None if a proxy is used (`proxied`), or if the recipe
    publishes a port itself.
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
    """The release that is deployed, for the labels of its services."""

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)


def overlay_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """Return Canon's additions as a compose file of their own, an overlay of the recipe's files."""
    escaped: Config = _escaped(_additions(config, stack, release, endpoint))
    return escaped


def merged_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """Return one complete compose file: the resolved `config` with Canon's additions."""
    escaped: Config = _escaped(_merged(config, _additions(config, stack, release, endpoint)))
    return escaped


def _merged(config: Config, added: Config) -> Config:
    """Merge tables key by key, and append lists."""
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
        # Like abra, give all settings to this service alone. The others get what the compose file says.
        environment = service.get("environment") or {}
        added["environment"] = {key: value for key, value in release.settings.items() if key not in environment}
    if name == endpoint.service and endpoint.published is not None:
        protocol = {} if endpoint.protocol == "tcp" else {"protocol": endpoint.protocol}
        added["ports"] = [{"target": endpoint.target, "published": endpoint.published, "mode": "host", **protocol}]
        # Two tasks cannot publish the same host port: with start-first, the new one would never start.
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
    """Return the recipe's objects of one kind, with our labels and a name that is unique to the slot.

    Repeats all other fields, because a later compose file replaces the whole object.
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
    """Return the name in the swarm of the object that a compose file declares as `name`, with the fields `value`.

    For a config or secret, keeps the version that its own field `name` has.
    """
    versioned = str(value.get("name") or name) if kind in {"configs", "secrets"} else name
    return f"{stack.name}_{stack.logical(versioned)}"


def _default_network(config: Config, stack: Stack) -> dict[str, Any]:
    """Return the default network, with our labels, if any service uses it and the recipe does not declare it."""
    if "default" in (config.get("networks") or {}):
        return {}
    if all(service.get("networks") for service in config["services"].values()):
        return {}
    return {"default": {"labels": {**stack.labels}}}


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """Return the value with each `$` doubled, because a single one begins a variable in a compose file."""
    if isinstance(value, Mapping):
        return {name: _escaped(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_escaped(part) for part in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
