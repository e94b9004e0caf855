"""Hands a release over to Swarm: everything it names is there before, so that its time to start is its own."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from desired.model import Swarm
from reconciler.crossing import App, Given
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host import appfiles
from reconciler.host.processes.listeners import free_port
from reconciler.host.sample import SAMPLE
from reconciler.host.swarm.engine import Engine
from reconciler.host.swarm.recipe import SwarmRecipe, compose_files, inside, read_recipe, settings_of, version_of
from reconciler.host.swarm.service import wants_none
from reconciler.host.swarm.stack import (
    ADDRESS,
    APP,
    NAMESPACE,
    SLOT,
    Config,
    Door,
    Release,
    Stack,
    bound,
    claims,
    files,
    images,
    outside,
    overlay,
    own_port,
    server_port,
    stack_of,
    whole,
    with_all_ports,
)

_LOOPBACK = "127.0.0.1"
# Of the host, but no data of anybody's.
_WITHOUT_DATA = ("/dev", "/proc", "/sys", "/etc/localtime", "/etc/timezone")
_APP_RUN = """\
#!/bin/sh
# Runs its arguments inside the app.
{exports}
label=com.docker.swarm.service.name={service}
container=$(docker ps --quiet --filter "label=$label" --filter status=running | head -n 1)
if [ -z "$container" ]; then
    echo 'app-run: nothing of {service} runs on this host' >&2
    exit 127
fi
exec docker exec --interactive "$container" "$@"
"""


@frozen
class Prepared:
    """A release as it will be deployed: its files, the variables in them, and what they come to."""

    stack: Stack
    recipe: SwarmRecipe
    checkout: Path
    compose: Sequence[Path]
    settings: Mapping[str, str]
    config: Config


def deploy(engine: Engine, policy: Swarm, app: App, checkout: Path, given: Given) -> None:
    """Raises RecipeError or InfrastructureError where the stack cannot be handed over; Swarm does the rest."""
    prepared = ready(engine, policy, app, checkout, given)
    stack = prepared.stack
    make_secrets(engine, prepared, app)
    release = Release(given.version, given.commit, prepared.settings)
    file = write_compose(app, whole(prepared.config, stack, release, door(prepared, policy)))
    engine.deploy(stack.name, (file,), {}, checkout)
    finish(engine, stack, app, given)


def ready(engine: Engine, policy: Swarm, app: App, checkout: Path, given: Given) -> Prepared:
    """A release that can be deployed as far as can be told before, its images on this host."""
    prepared = prepare(engine, stack_of(app, policy.zone), checkout, given)
    _check(engine, policy, prepared)
    _check_secrets(engine, prepared)
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


def finish(engine: Engine, stack: Stack, app: App, given: Given) -> None:
    """What is kept beside the app once it was handed over."""
    appfiles.write_given(app, given)
    _write_app_run(engine, stack, app)


def prepare(engine: Engine, stack: Stack, checkout: Path, given: Given) -> Prepared:
    recipe = read_recipe(checkout)
    ours = {"STACK_NAME": stack.name, "DOMAIN": stack.domain}
    settings = settings_of(recipe, given.settings, ours)
    compose = (*compose_files(settings, checkout), *given.overlays)
    merged = _read(engine.config(compose, settings, checkout))
    each = [_read(engine.config((file,), settings, checkout)) for file in compose] if len(compose) > 1 else []
    return Prepared(stack, recipe, checkout, compose, settings, _without_files(with_all_ports(merged, each), checkout))


def _without_files(config: Config, checkout: Path) -> Config:
    """Docker's client has laid the variables of `env_file` into the services, and would read the files once more."""
    for name, service in config["services"].items():
        for file in service.get("env_file") or ():
            inside(checkout, checkout / file, f"env_file of {name} is {file}")
    services = {
        name: {key: value for key, value in service.items() if key != "env_file"}
        for name, service in config["services"].items()
    }
    return {**config, "services": services}


def door(prepared: Prepared, policy: Swarm) -> Door:
    """Where the tests reach the app. Raises RecipeError where nothing says at which port it listens."""
    config, stack = prepared.config, prepared.stack
    target = server_port(config)
    if policy.proxy is not None and target is not None:
        scheme, _, address = policy.proxy.partition("://")
        return Door(_with_port(scheme, address), f"{scheme}://{_named(stack.domain, address)}")
    own = own_port(config, target)
    if own is None and target is None:
        raise RecipeError(
            f"{stack.recipe}: no label of its service app says at which port it listens",
            'name it in an overlay: "traefik.http.services.NAME.loadbalancer.server.port=80"',
        )
    published = free_port() if own is None else own
    address = f"{_LOOPBACK}:{published}"
    return Door(address, f"http://{address}", *((target, published) if own is None else ()))


def make_secrets(engine: Engine, prepared: Prepared, app: App) -> None:
    """A secret of the swarm for each that was provided; one that is there has the same content already."""
    stack = prepared.stack
    labels = ("--label", f"{SLOT}={stack.mark}", "--label", f"{NAMESPACE}={stack.name}")
    have = _secrets(engine, f"label={labels[-1]}")
    for name, full in secret_names(prepared).items():
        if full not in have:
            content = (app.secrets / name).read_bytes()
            engine.change("secret", "create", *labels, full, "-", what=f"make secret {name}", given=content)


def secret_names(prepared: Prepared) -> Mapping[str, str]:
    """What each secret of the recipe is called in the swarm; its version is a setting like any other."""
    stack, settings, names = prepared.stack.name, prepared.settings, prepared.recipe.sample.versions
    return {name: f"{stack}_{name}_{settings[version_of(name)]}" for name in names}


def _check_secrets(engine: Engine, prepared: Prepared) -> None:
    """Docker would find out only once it has made the networks."""
    secrets = (prepared.config.get("secrets") or {}).values()
    wanted = {secret["name"] for secret in secrets if secret and secret.get("external")}
    lacking = wanted - {*secret_names(prepared).values()}
    if lacking and (lacking := lacking - _secrets(engine)):
        said = ", ".join(prepared.stack.logical(name) for name in sorted(lacking))
        raise RecipeError(
            f"{prepared.stack.recipe}: nothing makes the secret {said}",
            f"declare it in {SAMPLE}, as SECRET_NAME_VERSION=v1",
        )


def _secrets(engine: Engine, *filters: str) -> set[str]:
    return {secret["Spec"]["Name"] for secret in engine.inspect("secret", engine.found("secret", *filters))}


def _read(config: bytes) -> Config:
    import yaml

    document: Any = yaml.safe_load(config)
    return document if isinstance(document, dict) else {"services": {}}


def _check(engine: Engine, policy: Swarm, prepared: Prepared) -> None:
    stack, config = prepared.stack, prepared.config
    for what, file in files(config):
        inside(prepared.checkout, Path(file), f"{what} is made of {file}")
    for volume in outside(config):
        raise RecipeError(f"{stack.recipe}: volume {volume} lies outside of the stack, so no slot would have it alone")
    for service, path in bound(config):
        if not (_holds_no_data(Path(path)) or Path(path).is_relative_to(prepared.checkout)):
            raise RecipeError(
                f"{stack.recipe}: {service} may write to {path} of this host, which no slot would have alone",
                "make it a volume, or read_only, by an overlay",
            )
    wanted, taken = _wanted(prepared, policy), _taken(engine, stack)
    for claim, service in wanted.items():
        if claim in taken:
            raise InfrastructureError(
                f"{stack.recipe}: {service} wants {claim}, which {taken[claim]} has",
                "one of the two can be up at a time: try again once the other is gone",
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
