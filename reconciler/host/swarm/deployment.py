"""Hands a release over to Swarm: everything it names is there before, so that its time to start is its own."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from desired.model import Swarm
from reconciler.crossing import App, Given
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host import appfiles
from reconciler.host.processes.listeners import free_port
from reconciler.host.swarm import secrets
from reconciler.host.swarm.compose import (
    APP,
    Config,
    Mount,
    claims,
    files,
    images,
    mounts,
    outside,
    own_port,
    server_port,
)
from reconciler.host.swarm.engine import Engine
from reconciler.host.swarm.preparing import Prepared, prepare
from reconciler.host.swarm.recipe import inside
from reconciler.host.swarm.service import wants_none
from reconciler.host.swarm.stack import ADDRESS, NAMESPACE, Door, Release, Stack, overlay, stack_of, whole

_LOOPBACK = "127.0.0.1"
# Of the host, but no data of anybody's.
_WITHOUT_DATA = ("/dev", "/proc", "/sys", "/etc/localtime", "/etc/timezone")
_APP_RUN = """\
#!/bin/sh
# Runs its arguments inside the app.
{exports}
label=com.docker.swarm.service.name={service}
# 125 is what Docker's client itself ends with where it cannot do its own part.
containers=$(docker ps --quiet --filter "label=$label" --filter status=running) || exit 125
container=$(printf '%s\\n' "$containers" | head -n 1)
if [ -z "$container" ]; then
    echo 'app-run: nothing of {service} runs on this host' >&2
    exit 127
fi
exec docker exec --interactive "$container" "$@"
"""


def deploy(engine: Engine, policy: Swarm, app: App, checkout: Path, given: Given) -> tuple[str, ...]:
    """Returns remarks. Raises RecipeError or InfrastructureError where the stack cannot be handed over.

    Swarm does the rest.
    """
    prepared = ready(engine, policy, app, checkout, given)
    stack = prepared.stack
    secrets.make(engine, prepared, app)
    release = Release(given.version, given.commit, prepared.settings)
    file = write_compose(app, whole(prepared.config, stack, release, door(prepared, policy)))
    engine.deploy(stack.name, (file,), {}, checkout)
    return finish(engine, prepared, app, given)


def ready(engine: Engine, policy: Swarm, app: App, checkout: Path, given: Given) -> Prepared:
    """A release that can be deployed as far as can be told before, its images on this host."""
    prepared = prepare(engine, stack_of(app, policy.zone, engine.state), checkout, given, appfiles.sample_of(app))
    _check(engine, policy, prepared)
    secrets.check(engine, prepared)
    for image in images(prepared.config):
        engine.pull(image)
    return prepared


def laid_over(prepared: Prepared, policy: Swarm, given: Given) -> Config:
    """What goes over the release's own files: our marks, and the way to the app."""
    release = Release(given.version, given.commit, prepared.settings)
    return overlay(prepared.config, prepared.stack, release, door(prepared, policy))


def write_compose(app: App, compose: Config) -> Path:
    """In JSON, which is YAML too."""
    file = app.folder / "run" / "compose.json"
    appfiles.write(file, json.dumps(compose), 0o600)
    return file


def finish(engine: Engine, prepared: Prepared, app: App, given: Given) -> tuple[str, ...]:
    """What is kept beside the app once it was handed over; returns remarks."""
    appfiles.write_given(app, given, prepared.recipe.text)
    _write_app_run(engine, prepared.stack, app)
    new = [name for name in prepared.recipe.added if name not in given.settings]
    return (f"{given.version} has new settings, which who upgrades has to add: {', '.join(new)}",) if new else ()


def door(prepared: Prepared, policy: Swarm) -> Door:
    """Where the tests reach the app. Raises RecipeError where nothing says at which port it listens."""
    config, stack = prepared.config, prepared.stack
    target = server_port(config, stack.name)
    if policy.proxy is not None and target is not None:
        scheme, _, address = policy.proxy.partition("://")
        return Door(_with_port(scheme, address), f"{scheme}://{_named(stack.domain, address)}", proxied=True)
    own = own_port(config, target)
    if own is None and target is None:
        raise RecipeError(
            f"{stack.recipe}: no label of its service app says at which port it listens",
            'name it in an overlay: "traefik.http.services.NAME.loadbalancer.server.port=80"',
        )
    published = free_port() if own is None else own
    address = f"{_LOOPBACK}:{published}"
    return Door(address, f"http://{address}", *((target, published) if own is None else ()))


def _check(engine: Engine, policy: Swarm, prepared: Prepared) -> None:
    stack, config = prepared.stack, prepared.config
    for what, file in files(config):
        inside(prepared.checkout, Path(file), f"{what} is made of {file}")
    for volume in outside(config):
        raise RecipeError(f"{stack.recipe}: volume {volume} lies outside of the stack, so no slot would have it alone")
    for mount in mounts(config, "bind"):
        _check_bind(prepared, mount)
    wanted, taken = _wanted(prepared, policy), _taken(engine, stack)
    for claim, service in wanted.items():
        if claim in taken:
            raise InfrastructureError(
                f"{stack.recipe}: {service} wants {claim}, which {taken[claim]} has",
                "one of the two can be up at a time: try again once the other is gone",
            )


def _check_bind(prepared: Prepared, mount: Mount) -> None:
    recipe, path = prepared.stack.recipe, Path(mount.source)
    if path.is_relative_to(prepared.checkout):
        return
    if mount.written and not _holds_no_data(path):
        raise RecipeError(
            f"{recipe}: {mount.service} may write to {path} of this host, which no slot would have alone",
            "make it a volume, or read_only, by an overlay",
        )
    if not path.exists():
        raise InfrastructureError(
            f"{recipe}: {mount.service} wants {path} of this host, which is not there", "make it there"
        )


def _holds_no_data(path: Path) -> bool:
    return path.is_socket() or any(path.is_relative_to(one) for one in _WITHOUT_DATA)


def _wanted(prepared: Prepared, policy: Swarm) -> Mapping[str, str]:
    """What there is once on the host, each with the service that wants it: fixed ports and, behind a proxy, a name."""
    ports = {f"port {port} of the host": service for port, service in claims(prepared.config).items()}
    return ports if policy.proxy is None else {**ports, door(prepared, policy).url: APP}


def _taken(engine: Engine, stack: Stack) -> Mapping[str, str]:
    """What of that services of other stacks have, each with its service."""
    taken: dict[str, str] = {}
    for service in engine.inspect("service", engine.found("service")):
        spec = service["Spec"]
        labels = spec.get("Labels") or {}
        if labels.get(NAMESPACE) == stack.name or wants_none(service):
            continue
        if ADDRESS in labels:
            taken[labels[ADDRESS].partition(" ")[2]] = spec["Name"]
        for port in (service.get("Endpoint") or {}).get("Ports") or ():
            taken[f"port {port.get('PublishedPort')}/{port.get('Protocol')} of the host"] = spec["Name"]
    return taken


def _write_app_run(engine: Engine, stack: Stack, app: App) -> None:
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in engine.environment.items())
    appfiles.write(appfiles.app_run(app), _APP_RUN.format(exports=exports, service=stack.app), 0o700)


def _with_port(scheme: str, address: str) -> str:
    return address if ":" in address else f"{address}:{443 if scheme == 'https' else 80}"


def _named(domain: str, address: str) -> str:
    """`domain` with the port of the proxy, where that is none that goes without saying."""
    _, colon, port = address.rpartition(":")
    return f"{domain}:{port}" if colon else domain
