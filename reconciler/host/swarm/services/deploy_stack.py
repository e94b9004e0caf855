"""Deploys a release as a stack. Images and secrets are made ready first, so that they do not count as time to start."""

import json
import shlex
from pathlib import Path

from attrs import field, frozen

from desired.model import Swarm
from reconciler.errors import RecipeError
from reconciler.host import app_directory
from reconciler.host.company import Company
from reconciler.host.processes.listeners import free_port
from reconciler.host.processes.procfs import RUN_MARK, SLOT_MARK
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe import swarm_secrets as secrets
from reconciler.host.swarm.recipe.app_port import AppPort, find_app_port, misplaced_port_label
from reconciler.host.swarm.recipe.compose import (
    Config,
    app_service,
    empty_variables,
    images,
    is_external,
    scaled_to_zero,
    tmpfs_mounts,
)
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease, prepare_release
from reconciler.host.swarm.recipe.stack import (
    ComposeRelease,
    Endpoint,
    Stack,
    merged_compose,
    overlay_compose,
    stack_of,
)
from reconciler.host.swarm.recipe.version_hints import with_version_hint
from reconciler.host.swarm.services import host_requirements
from reconciler.host.swarm.services.apart import check_apart
from reconciler.host.swarm.services.dropped_services import wait_for_dropped_services
from reconciler.host.swarm.services.pulled_images import pull_images
from reconciler.ports.app import App, DeployOptions

_LOOPBACK = "127.0.0.1"
_APP_RUN = """\
#!/bin/sh
# Runs its arguments inside the app.
# The client gets these variables only: a setting of the app must not act as a variable of the client.
client() {{
    env -i {environment} docker "$@"
}}
label=com.docker.swarm.service.name={service}
# Docker's client exits with 125 for a failure of its own, before the program in the container runs.
containers=$(client ps --quiet --filter "label=$label" --filter status=running) || exit 125
container=$(printf '%s\\n' "$containers" | head -n 1)
if [ -z "$container" ]; then
    echo 'app-run: nothing of {service} runs on this host' >&2
    exit 127
fi
exec env -i {environment} docker exec --interactive "$container" "$@"
"""


@frozen
class DeploymentSite:
    """Where releases are deployed: an engine, and facts about it.

    * `policy`: what the fleet declares for the swarm.
    * `company`: whether other recipes can be in trial at the same time, and which ports are free for this one.
    * `image_log`: the file that says which images were deployed; None for no such file.
    """

    engine: Engine
    policy: Swarm
    company: Company = field(factory=Company)
    image_log: Path | None = None


@frozen
class DeployableRelease:
    """A release that was checked for this host, and the endpoint at which tests will reach it."""

    prepared: PreparedRelease
    endpoint: Endpoint


def deploy_release(site: DeploymentSite, app: App, checkout: Path, options: DeployOptions) -> tuple[str, ...]:
    """Deploy the release in the folder `checkout` by `docker stack deploy`. Do not wait until the app is up.

    Return remarks for the report, such as which settings are new; () for none. If the deployment fails, raise
    RecipeError if the release is to blame, and InfrastructureError if not. Raise KilledError if a service with a volume
    that only the earlier release has had to be killed.
    """
    engine, deployable = site.engine, check_release(site, app, checkout, options)
    prepared, stack = deployable.prepared, deployable.prepared.stack
    secrets.create_secrets(engine, prepared, app)
    release = ComposeRelease(options.version, options.commit, prepared.settings)
    compose = merged_compose(prepared.config, stack, release, deployable.endpoint)
    file = write_compose(app, compose)
    with wait_for_dropped_services(engine, stack), with_version_hint(prepared):
        engine.command.deploy(stack.name, file, checkout, empty_variables(compose))
    return record_deployment(engine, prepared, app, options)


def check_release(site: DeploymentSite, app: App, checkout: Path, options: DeployOptions) -> DeployableRelease:
    """Check that this host can run the release in `checkout`, and pull its images.

    Return the release, ready to be deployed. If a check or a pull fails, raise RecipeError if the release is to blame,
    and InfrastructureError if not.
    """
    engine, policy = site.engine, site.policy
    stack, before = stack_of(app, policy.zone, engine.state), app_directory.sample_for(app, options)
    prepared = prepare_release(engine, stack, checkout, options, before)
    check_apart(site.company, prepared)
    endpoint = endpoint_of(site, prepared, needs_port=options.needs_port)
    host_requirements.check_requirements(engine, prepared, endpoint)
    secrets.check_secrets(engine, prepared, app)
    pull_images(engine, images(prepared.config), site.image_log, app, options.commit)
    return DeployableRelease(prepared, endpoint)


def overlay_for(deployable: DeployableRelease, options: DeployOptions) -> Config:
    """Return a compose file with only the labels and the published port that Canon adds to the release.

    The returned file is to be merged over the compose files of the recipe.
    """
    prepared = deployable.prepared
    release = ComposeRelease(options.version, options.commit, prepared.settings)
    return overlay_compose(prepared.config, prepared.stack, release, deployable.endpoint)


def write_compose(app: App, compose: Config) -> Path:
    """Write `compose` to a file of the app. Return its path. The file is JSON, which is also valid YAML."""
    file = app.folder / "run" / "compose.json"
    app_directory.replace_file(file, json.dumps(compose), 0o600)
    return file


def record_deployment(engine: Engine, prepared: PreparedRelease, app: App, options: DeployOptions) -> tuple[str, ...]:
    """Write the files of a deployment: its settings, its sample, and the script app-run.

    Return remarks for the report; () for none. The remarks name the settings that are new in an upgrade, and the parts
    of the release that do not run.
    """
    app_directory.write_settings(app, options, prepared.recipe.text)
    _write_app_run(engine, prepared.stack, app)
    new = [name for name in prepared.recipe.added if name not in options.settings]
    remarks = [f"{options.version} has new settings, to add in an upgrade: {', '.join(new)}"] if new else []
    remarks += [f"{name} is scaled to zero: nothing of it was tried" for name in scaled_to_zero(prepared.config)]
    remarks += [
        f"{name}: Docker gives a stack no tmpfs, and dropped {path}" for name, path in tmpfs_mounts(prepared.config)
    ]
    return tuple(remarks)


def endpoint_of(site: DeploymentSite, prepared: PreparedRelease, *, needs_port: bool) -> Endpoint:
    """Return the address, URL and port at which tests reach the app.

    `needs_port` is False if a command alone decides whether the app is ready.
    * No service `app`: raise RecipeError.
    * No port that tests can reach: return an empty Endpoint; if `needs_port` is True, raise RecipeError.
    * A UDP port only: return its Endpoint; if `needs_port` is True, raise RecipeError.
    """
    config, stack = prepared.config, prepared.stack
    app_service(config)
    try:
        port = find_app_port(config, stack.name, () if site.policy.proxy else _internal_networks(site.engine, config))
    except RecipeError as unreachable:
        if needs_port:
            raise RecipeError(f"{stack.recipe}: {unreachable.message}", unreachable.hint) from None
        port = None
    if needs_port and (port is None or port.protocol == "udp"):
        raise _no_port(prepared, port)
    return Endpoint() if port is None else _endpoint_at(site, stack, port)


def _no_port(prepared: PreparedRelease, port: AppPort | None) -> RecipeError:
    recipe = prepared.stack.recipe
    command = "give a command that succeeds once it is ready: [ready] run"
    if port is not None:
        only = f"{recipe}: {port.service} has a port of UDP alone, which cannot show that it is ready"
        return RecipeError(only, command)
    label = '"traefik.http.services.NAME.loadbalancer.server.port=80"'
    if misplaced_in := misplaced_port_label(prepared.config):
        hint = f"{misplaced_in} has {label} in labels, which is for containers: it belongs in deploy.labels"
    else:
        hint = f"name it in an overlay, in deploy.labels: {label}"
    return RecipeError(f"{recipe}: no label of a service names the port at which it listens", f"{hint}, or {command}")


def _endpoint_at(site: DeploymentSite, stack: Stack, port: AppPort) -> Endpoint:
    policy = site.policy
    # A proxy tells apps apart by their domain, which nothing of UDP carries.
    if policy.proxy is not None and port.name and port.protocol != "udp":
        scheme, _, address = policy.proxy.partition("://")
        url = f"{scheme}://{_with_proxy_port(stack.domain, address)}"
        return Endpoint(_with_port(scheme, address), url, port.target, proxied=True, service=port.service)
    published = free_port(site.company.ports) if port.published is None else port.published
    address = f"{_LOOPBACK}:{published}"
    ours = published if port.published is None else None
    url = f"{'udp' if port.protocol == 'udp' else 'http'}://{address}"
    return Endpoint(address, url, port.target, ours, service=port.service, protocol=port.protocol)


def _internal_networks(engine: Engine, config: Config) -> frozenset[str]:
    """Return those external networks of the recipe that Docker reports as internal, by their names in the compose file.

    A network is external if it is made outside of the recipe. Docker publishes no ports on internal networks.
    """
    declared = {name: network for name, network in (config.get("networks") or {}).items() if is_external(network)}
    names = {str(network.get("name") or name): name for name, network in declared.items()}
    found = engine.inspect("network", sorted(names))
    return frozenset(names[one["Name"]] for one in found if one.get("Internal") and one["Name"] in names)


def _write_app_run(engine: Engine, stack: Stack, app: App) -> None:
    own = (f"{name}={shlex.quote(value)}" for name, value in engine.environment.items())
    marks = (f'${{{name}:+"{name}=${name}"}}' for name in (RUN_MARK, SLOT_MARK))
    script = _APP_RUN.format(environment=" ".join((*own, *marks)), service=stack.app)
    app_directory.replace_file(app_directory.app_run(app), script, 0o700)


def _with_port(scheme: str, address: str) -> str:
    return address if ":" in address else f"{address}:{443 if scheme == 'https' else 80}"


def _with_proxy_port(domain: str, address: str) -> str:
    """Return `domain` with the port of the proxy, such as "a.example:8443"; without a port if `address` has none.

    `address` is the address of the proxy, "HOST" or "HOST:PORT".
    """
    _, colon, port = address.rpartition(":")
    return f"{domain}:{port}" if colon else domain
