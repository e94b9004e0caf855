"""Finds the service and port at which a recipe's app is reached. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from attrs import frozen

from reconciler.errors import RecipeError
from reconciler.host.swarm.recipe.compose import APP, Config, is_external

_SERVER_PORT = re.compile(r"traefik\.(http|tcp|udp)\.services\.([^.]+)\.loadbalancer\.server\.port", re.IGNORECASE)


@frozen
class AppPort:
    """A service that listens on the container port `target`. `published` is the host port, if the recipe publishes one.

    `kind` is "http", "tcp" or "udp". `name` is the name of the port in the proxy's label, "" if no label names it.
    """

    service: str
    target: int
    published: int | None = None
    kind: str = "tcp"
    name: str = ""

    @property
    def protocol(self) -> str:
        return "udp" if self.kind == "udp" else "tcp"


def find_app_port(config: Config, stack: str, closed: Collection[str] = ()) -> AppPort | None:
    """Return the port of the app: one that a proxy label names, else one that the recipe publishes; None for neither.

    `stack` is the name of the stack, which `_rank` compares. `closed` are the recipe's names of the external networks
    that Docker keeps internal. Raises RecipeError if all services that name a port are only on internal networks.
    """
    ways = tuple(_labelled(config)) or tuple(_published(config))
    open_ways = [port for port in ways if _is_open(config, port, closed)]
    if ways and not open_ways:
        names = ", ".join(dict.fromkeys(port.service for port in ways))
        raise RecipeError(
            f"nobody can reach {names}: it names a port, and is on internal networks alone",
            "put it on the proxy's network, or the port's label on the service that is there",
        )
    return min(open_ways, key=lambda port: _rank(config, stack, port), default=None)


def misplaced_port_label(config: Config) -> str:
    """Return the service that has its port label on the container, where a Swarm proxy does not look; "" for none."""
    services = config["services"].items()
    return next((name for name, one in services if any(map(_SERVER_PORT.fullmatch, one.get("labels") or {}))), "")


def _labelled(config: Config) -> Iterator[AppPort]:
    for service, one in config["services"].items():
        for label, value in _labels(one).items():
            match = _SERVER_PORT.fullmatch(label)
            if match and str(value).isdecimal():
                kind, target = match[1].lower(), int(str(value))
                yield AppPort(service, target, _own_port(one, target, kind), kind, match[2])


def _published(config: Config) -> Iterator[AppPort]:
    """Yield the TCP ports that the recipe publishes."""
    for service, one in config["services"].items():
        for port in one.get("ports") or ():
            if port.get("published") and port.get("protocol", "tcp") == "tcp":
                yield AppPort(service, int(port["target"]), int(port["published"]))


def _own_port(service: Config, target: int, kind: str) -> int | None:
    protocol = "udp" if kind == "udp" else "tcp"
    for port in service.get("ports") or ():
        fits = (int(port["target"]), port.get("protocol", "tcp")) == (target, protocol)
        if fits and port.get("published"):
            return int(port["published"])
    return None


def _is_open(config: Config, port: AppPort, closed: Collection[str]) -> bool:
    """Whether the service of the port is on a network that is not internal.

    A port that is published in ingress mode adds such a network, the ingress network, to its service.
    """
    service = config["services"][port.service]
    ingress = any(port.get("published") and port.get("mode") == "ingress" for port in service.get("ports") or ())
    return ingress or not all(_is_internal(config, name, closed) for name in networks_of(service))


def networks_of(service: Config) -> tuple[str, ...]:
    return tuple(service.get("networks") or ("default",))


def _is_internal(config: Config, network: str, closed: Collection[str]) -> bool:
    declared = (config.get("networks") or {}).get(network) or {}
    return network in closed if is_external(declared) else bool(declared.get("internal"))


def _rank(config: Config, stack: str, port: AppPort) -> tuple[bool, ...]:
    """Return a sort key; the lowest is the best port.

    Prefers, in this order: enabled for the proxy, not UDP, on an external network, named as the stack, HTTP, `app`.
    """
    service, networks = config["services"][port.service], config.get("networks") or {}
    is_off = str(_labels(service).get("traefik.enable", "true")).lower() == "false"
    is_outside = any(is_external(networks.get(name)) for name in networks_of(service))
    return (
        is_off,
        port.kind == "udp",
        not is_outside,
        port.name != stack,
        port.kind != "http",
        port.service != APP,
    )


def _labels(service: Config) -> Mapping[str, object]:
    found: Mapping[str, object] = (service.get("deploy") or {}).get("labels") or {}
    return found
