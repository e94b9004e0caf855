"""Decides whether a release may run on this host while other recipes are tried at the same time."""

from collections.abc import Iterator

from reconciler.errors import InfrastructureError
from reconciler.host.company import Company
from reconciler.host.swarm.recipe.app_port import networks_of
from reconciler.host.swarm.recipe.compose import APP, Config, is_external, mounts
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease

# Folders of the host in which Docker's socket is.
_WITH_SOCKET = ("", "/run", "/var/run")


def check_apart(company: Company, prepared: PreparedRelease) -> None:
    """Raise InfrastructureError if the release's app, and apps tried beside it, could reach each other by mistake.

    Do nothing if no other recipe is tried at the same time. After the error, the pass tries the release again alone.
    """
    reason = next(contacts(prepared.config), "") if company.has_company else ""
    if reason:
        raise InfrastructureError(f"{prepared.stack.recipe}: {reason}, so it is tried alone")


def contacts(config: Config) -> Iterator[str]:
    """Yield a text for each way in which this app and apps of other recipes could reach each other by mistake.

    An example: "web is on the network proxy, where other recipes have services of the same names". `config` is the
    configuration of this app. There are three ways:
    * A service uses the host's own network.
    * A service other than `app` is on an external network, which other recipes may use too. Docker gives each service
      its short name there. So if the service asks for `app`, it can get the `app` of another recipe.
    * A service mounts Docker's socket or a folder with it, and so sees all containers of the host.
    """
    networks = config.get("networks") or {}
    for name, service in config["services"].items():
        outside = [each for each in networks_of(service) if is_external(networks.get(each))]
        if "host" in {str(networks[each].get("name") or each) for each in outside}:
            yield f"{name} uses the host's own network"
        if name != APP and outside:
            yield f"{name} is on the network {outside[0]}, where other recipes have services of the same names"
    for mount in mounts(config, "bind"):
        if mount.source.endswith("docker.sock") or mount.source.rstrip("/") in _WITH_SOCKET:
            yield f"{mount.service} sees all containers of the host by {mount.source}"
