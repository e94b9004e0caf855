"""Checks before a deployment that a release can run on this host, and that its ports and URL are free."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.compose import (
    APP,
    Mount,
    file_sources,
    mounts,
    published_ports,
    scaled_to_zero,
    shared_volumes,
)
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease
from reconciler.host.swarm.recipe.recipe import check_inside
from reconciler.host.swarm.recipe.stack import ADDRESS, NAMESPACE, Endpoint, Stack
from reconciler.host.swarm.services.service import is_scaled_to_zero

# Host paths without data.
_WITHOUT_DATA = ("/dev", "/proc", "/sys", "/etc/localtime", "/etc/timezone")


def check_requirements(engine: Engine, prepared: PreparedRelease, endpoint: Endpoint) -> None:
    """Raise an error if this host cannot run the release, for example because a port is taken.

    The error is a RecipeError if no host at all could run the release in a slot. It is an InfrastructureError if the
    reason is something on this host.
    """
    stack, config = prepared.stack, prepared.config
    _check_scale(prepared, endpoint)
    for what, file in file_sources(config):
        check_inside(prepared.checkout, Path(file), f"{what} is made of {file}")
    for volume in shared_volumes(config):
        raise RecipeError(f"{stack.recipe}: volume {volume} is outside of the stack, so slots would share it")
    for mount in mounts(config, "bind"):
        _check_bind(prepared, mount)
    wanted, taken = _wanted_resources(prepared, endpoint), _taken_resources(engine, stack)
    for claim, service in wanted.items():
        if claim in taken:
            raise InfrastructureError(
                f"{stack.recipe}: {service} needs {claim}, which {taken[claim]} uses",
                "only one of the two can be up at a time: try again once the other is gone",
            )


def _check_scale(prepared: PreparedRelease, endpoint: Endpoint) -> None:
    """Raise RecipeError if the service `app`, or the service that tests reach, has no replicas: it would never run."""
    for name in scaled_to_zero(prepared.config):
        if name in {APP, endpoint.service}:
            raise RecipeError(
                f"{prepared.stack.recipe}: {name} is scaled to zero (deploy.replicas: 0), so it would never run",
                "give it a replica by an overlay",
            )


def _check_bind(prepared: PreparedRelease, mount: Mount) -> None:
    recipe, path = prepared.stack.recipe, Path(mount.source)
    if path.is_relative_to(prepared.checkout):
        return
    if not path.exists():
        raise InfrastructureError(
            f"{recipe}: {mount.service} needs {path} of this host, which is not there",
            "create it, or name another path by an overlay",
        )
    if mount.written and not _holds_no_data(path):
        raise RecipeError(
            f"{recipe}: {mount.service} may write to {path} of this host, which slots would share",
            "make it a volume, or read_only, by an overlay",
        )


def _holds_no_data(path: Path) -> bool:
    return path.is_socket() or any(path.is_relative_to(one) for one in _WITHOUT_DATA)


def _wanted_resources(prepared: PreparedRelease, endpoint: Endpoint) -> Mapping[str, str]:
    """Return what the release needs and only one service can have: host ports and, behind a proxy, its URL.

    A key is the URL, or a text such as "port 25/tcp of the host". Its value is the name of the service that needs it.
    """
    ports = {f"port {port} of the host": service for port, service in published_ports(prepared.config).items()}
    return {**ports, endpoint.url: endpoint.service} if endpoint.proxied else ports


def _taken_resources(engine: Engine, stack: Stack) -> Mapping[str, str]:
    """Return the host ports and URLs that services of other stacks have. `stack` is our own stack.

    A key is a URL, or a text such as "port 25/tcp of the host". Its value is the full name of the service. Services
    that are scaled to zero are left out.
    """
    taken: dict[str, str] = {}
    for service in engine.find("service"):
        spec = service["Spec"]
        labels = spec.get("Labels") or {}
        if labels.get(NAMESPACE) == stack.name or is_scaled_to_zero(service):
            continue
        if ADDRESS in labels:
            taken[labels[ADDRESS].partition(" ")[2]] = spec["Name"]
        for port in (service.get("Endpoint") or {}).get("Ports") or ():
            taken[f"port {port.get('PublishedPort')}/{port.get('Protocol')} of the host"] = spec["Name"]
    return taken
