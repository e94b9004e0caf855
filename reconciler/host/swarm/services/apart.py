"""Decides whether a release may run on this host beside apps of other recipes, or beside another app of its own."""

from collections.abc import Iterator

from reconciler.errors import InfrastructureError
from reconciler.host.capacity import has_room_for_one_more
from reconciler.host.company import Company
from reconciler.host.swarm.recipe.app_port import networks_of
from reconciler.host.swarm.recipe.compose import APP, Config, is_external, mounts
from reconciler.host.swarm.recipe.prepared_release import PreparedRelease

# Folders of the host in which Docker's socket is.
_WITH_SOCKET = ("", "/run", "/var/run")


def check_apart(company: Company, prepared: PreparedRelease, *, is_beside: bool) -> None:
    """Raise InfrastructureError if the release must not run on this host beside other apps.

    `company` says whether other recipes are in trial here at the same time. `is_beside` is True if another app of the
    same recipe runs here. The error is raised in these cases:
    * `is_beside` is True, and less than 4 GiB of memory are left.
    * Other recipes are in trial, or `is_beside` is True, and `contacts` finds a way in which the apps could reach each
      other by mistake.

    After the error, the caller tries the release again alone.
    """
    if is_beside and not has_room_for_one_more():
        raise InfrastructureError(f"{prepared.stack.recipe}: too little memory is left for a second app of it")
    reason = next(contacts(prepared.config), "") if company.has_company or is_beside else ""
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
