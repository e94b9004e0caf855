"""Finds the service and the port in the container at which the app of a recipe is reached. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from attrs import frozen

from reconciler.errors import RecipeError
from reconciler.host.swarm.recipe.compose import APP, Config, is_external

_SERVER_PORT = re.compile(r"traefik\.(http|tcp|udp)\.services\.([^.]+)\.loadbalancer\.server\.port", re.IGNORECASE)


@frozen
class AppPort:
    """A port in a container, on which a service listens.

    * `service`: the name of the service. `target`: the number of the port.
    * `published`: the host port at which the recipe publishes this port; None if it does not.
    * `kind`: "http", "tcp" or "udp".
    * `name`: what a label for the proxy (Traefik) calls the port; "" if no label names it.
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
    """Return the port at which the app is reached; None if the recipe names no port.

    * `config`: the recipe's configuration, with all variables filled in.
    * `stack`: the name of the stack.
    * `closed`: the external networks that Docker reports as internal, by their names in the recipe.

    The port is one that a label for the proxy names. If no label names a port, it is one that the recipe publishes. Of
    several, a port is preferred for these reasons, the most important first:

    1. Its service does not switch the proxy off.
    2. It is not UDP.
    3. Its service is on an external network.
    4. A label for the proxy names it like the stack.
    5. It is for HTTP.
    6. Its service is `app`.

    Raise RecipeError if the recipe names ports, but all services with these ports are on internal networks only.
    """
    ports = tuple(_labelled(config)) or tuple(_published(config))
    reachable = [port for port in ports if _is_open(config, port, closed)]
    if ports and not reachable:
        names = ", ".join(dict.fromkeys(port.service for port in ports))
        raise RecipeError(
            f"nobody can reach {names}: it names a port, and is on internal networks alone",
            "put it on the proxy's network, or the port's label on the service that is there",
        )
    return min(reachable, key=lambda port: _rank(config, stack, port), default=None)


def misplaced_port_label(config: Config) -> str:
    """Return the first service whose label with a port for the proxy is at a wrong place; "" if there is none.

    The wrong place is outside of `deploy`. There the container gets the label. A proxy for a Swarm reads only the
    labels of the service.
    """
    services = config["services"].items()
    return next((name for name, one in services if any(map(_SERVER_PORT.fullmatch, one.get("labels") or {}))), "")


def _labelled(config: Config) -> Iterator[AppPort]:
    """Yield the ports that services name in labels for the proxy: "traefik…loadbalancer.server.port"."""
    for service, one in config["services"].items():
        for label, value in _labels(one).items():
            match = _SERVER_PORT.fullmatch(label)
            if match and str(value).isdecimal():
                kind, target = match[1].lower(), int(str(value))
                yield AppPort(service, target, _own_port(one, target, kind), kind, match[2])


def _published(config: Config) -> Iterator[AppPort]:
    """Yield the TCP ports that the recipe publishes at a host port."""
    for service, one in config["services"].items():
        for port in one.get("ports") or ():
            if port.get("published") and port.get("protocol", "tcp") == "tcp":
                yield AppPort(service, int(port["target"]), int(port["published"]))


def _own_port(service: Config, target: int, kind: str) -> int | None:
    """Return the host port at which the service publishes its port `target`; None if it does not publish that port.

    `kind` is "tcp", "udp" or "http".
    """
    protocol = "udp" if kind == "udp" else "tcp"
    for port in service.get("ports") or ():
        fits = (int(port["target"]), port.get("protocol", "tcp")) == (target, protocol)
        if fits and port.get("published"):
            return int(port["published"])
    return None


def _is_open(config: Config, port: AppPort, closed: Collection[str]) -> bool:
    """Return whether the service of `port` is on a network that is not internal.

    `closed` are those external networks (made outside of the recipe) that Docker reports as internal. A service that
    publishes a port in ingress mode is also on the ingress network, which is not internal.
    """
    service = config["services"][port.service]
    ingress = any(port.get("published") and port.get("mode") == "ingress" for port in service.get("ports") or ())
    return ingress or not all(_is_internal(config, name, closed) for name in networks_of(service))


def networks_of(service: Config) -> tuple[str, ...]:
    """Return the networks of a service by their names in the recipe. A service without `networks` has "default"."""
    return tuple(service.get("networks") or ("default",))


def _is_internal(config: Config, network: str, closed: Collection[str]) -> bool:
    """Return whether the network named `network` in the recipe is internal.

    An external network is internal if its name is in `closed`. Of any other network, the configuration `config` says
    whether it is internal.
    """
    declared = (config.get("networks") or {}).get(network) or {}
    return network in closed if is_external(declared) else bool(declared.get("internal"))


def _rank(config: Config, stack: str, port: AppPort) -> tuple[bool, ...]:
    """Return the sort key of a port. The port with the lowest key is taken.

    A key is low for the reasons that `find_app_port` names, the most important first. `stack` is the name of the stack.
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
    labels: Mapping[str, object] = (service.get("deploy") or {}).get("labels") or {}
    return labels
