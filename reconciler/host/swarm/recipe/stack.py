"""What Canon adds to the compose files of a recipe: names, labels, and a published port. Pure."""

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

# The label that Swarm gives to the containers of a service: the service's name.
SERVICE_NAME = "com.docker.swarm.service.name"

# In characters. The name of a Swarm object has at most 63, and the recipe's part of it needs most of them.
_OF_RECIPE = 20

# Otherwise a proxy for this host's real apps would send their visitors to an app under test.
_UNROUTED = {"traefik.enable": "false"}


@frozen
class Stack:
    """The stack of a swarm in which one app of one slot runs.

    * `name`: the name of the stack in the swarm.
    * `recipe`: the name of the app's recipe.
    * `mark`: the mark of the app's slot.
    * `domain`: the app's domain, which is the same in all slots of a recipe.
    * `state`: the id of the state folder to which the slot belongs; "" if that folder has no id.
    """

    name: str
    recipe: str
    mark: str
    domain: str
    state: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels that say to which slot and state folder an object of the stack belongs."""
        return {SLOT: self.mark} | ({STATE: self.state} if self.state else {})

    @property
    def app(self) -> str:
        """Return the name of the service `app` in the swarm: "STACK_app"."""
        return f"{self.name}_{APP}"

    def label(self, what: str) -> str:
        """Return the full name of a label that abra reads: "coop-cloud.STACK.version" for "version"."""
        return f"coop-cloud.{self.name}.{what}"

    def logical(self, name: str) -> str:
        """Return the name that the recipe gives to an object of the swarm: "db" for "STACK_db"."""
        return name.removeprefix(f"{self.name}_")


def stack_of(app: App, zone: str, state: str = "") -> Stack:
    """Return the stack in which an app is deployed. An app of a recipe in a slot always gets the same stack.

    `zone` is the DNS zone of the app's domain. `state` is the id of the state folder; "" if that folder has no id.
    """
    place = f"{state}\0{app.mark}\0{app.recipe}" if state else f"{app.mark}\0{app.recipe}"
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    return Stack(f"{app.recipe[:_OF_RECIPE]}-{digest}", app.recipe, app.mark, f"{app.recipe}.{zone}", state)


@frozen
class Endpoint:
    """How tests reach an app.

    * `address`: the host and port, as "HOST:PORT"; "" if the app listens on no port.
    * `url`: the URL at this address; "" if the app listens on no port.
    * `target`: the port in the container on which the service listens; None if the app listens on no port.
    * `published`: the host port that Canon publishes for the tests; None if they use the proxy, or a port that the
      recipe itself publishes.
    * `proxied`: True if the tests use the proxy.
    * `service`: the name of the service that listens.
    * `protocol`: "tcp" or "udp".
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
    """Version, commit and settings of the release to deploy. They become labels and variables of its services."""

    version: str
    commit: str
    settings: Mapping[str, str] = field(factory=dict)


def overlay_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """Return a compose file with Canon's additions only, to be merged over the compose files of the recipe.

    `config` is the recipe's configuration, with all variables filled in. The additions are made from `stack`, `release`
    and `endpoint`.
    """
    escaped: Config = _escaped(_additions(config, stack, release, endpoint))
    return escaped


def merged_compose(config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """Return a complete compose file: the configuration `config` of a recipe, and Canon's additions.

    The variables in `config` are filled in already. The additions are made from `stack`, `release` and `endpoint`.
    """
    escaped: Config = _escaped(_merged(config, _additions(config, stack, release, endpoint)))
    return escaped


def _merged(config: Config, added: Config) -> Config:
    """Return `config` with `added` merged into it: mappings key by key, lists appended, other values replaced."""
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
    """Return what Canon adds to the configuration `config` of a recipe, as the content of a compose file.

    The additions are made from `stack`, `release` and `endpoint`.
    """
    return {
        "version": naming_version(str(config.get("version", "3.8"))),
        "services": {name: _service_additions(name, config, stack, release, endpoint) for name in config["services"]},
        "volumes": _labelled_objects(config, "volumes", stack),
        "networks": _default_network(config, stack) | _labelled_objects(config, "networks", stack),
        "configs": _labelled_objects(config, "configs", stack),
        "secrets": _labelled_objects(config, "secrets", stack),
    }


def _service_additions(name: str, config: Config, stack: Stack, release: ComposeRelease, endpoint: Endpoint) -> Config:
    """Return what Canon adds to the service `name`: labels, settings if it is `app`, and the published port."""
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
    """Return the labels that Canon adds to the service `name` of the recipe: its slot, state folder and commit.

    Unless tests use this host's proxy, one more label keeps the proxy from sending visitors to the service. The service
    `app` also gets the addresses of the app as labels, and the labels that abra reads.
    """
    ours = {**stack.labels, COMMIT: release.commit} | ({} if endpoint.proxied else _UNROUTED)
    if name != APP:
        return ours
    reached = {ADDRESS: f"{endpoint.address} {endpoint.url}"} if endpoint.address else {}
    reached |= {PEER: f"{stack.name}_{endpoint.service}:{endpoint.target}"} if endpoint.target else {}
    theirs = {"recipe": stack.recipe, "version": release.version, "chaos": "false"}
    return {**ours, **reached, **{stack.label(what): value for what, value in theirs.items()}}


def _labelled_objects(config: Config, kind: str, stack: Stack) -> dict[str, Any]:
    """Return the objects of one kind, such as "volumes", with Canon's labels and a name that only this slot has.

    `config` is the configuration that declares the objects. The result maps the key of each object in `config` to its
    fields. External objects are left out. Fields that do not change are copied too: when compose files are merged, an
    object in a later file replaces the whole object in an earlier file.
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
    """Return the name in the swarm of the object that a compose file has under the key `name`.

    `kind` is the section of the file, such as "configs". `value` has the fields of the object. The name of a config or
    a secret is made from its field `name`, which contains a version. The name of any other object is made from its key.
    """
    versioned = str(value.get("name") or name) if kind in {"configs", "secrets"} else name
    return f"{stack.name}_{stack.logical(versioned)}"


def _default_network(config: Config, stack: Stack) -> dict[str, Any]:
    """Return {"default": FIELDS}, the network `default` with Canon's labels.

    Return {} if each service names its networks, or if the recipe itself declares a network `default`.
    """
    if "default" in (config.get("networks") or {}):
        return {}
    if all(service.get("networks") for service in config["services"].values()):
        return {}
    return {"default": {"labels": {**stack.labels}}}


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """Return `value` with `$$` for each `$` in its texts: in a compose file, a single `$` begins a variable."""
    if isinstance(value, Mapping):
        return {name: _escaped(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_escaped(part) for part in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
