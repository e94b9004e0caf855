"""What an app has to share this host with while it is deployed."""

from attrs import frozen

from reconciler.host.processes.listeners import PORTS


@frozen
class Company:
    """Which ports the apps of one worker may use, and whether they share this host with other recipes.

    * `ports`: the port numbers from which the port of an app is chosen. Other workers have other numbers.
    * `has_company`: True if other recipes can be in trial at the same time.
    """

    ports: range = PORTS
    has_company: bool = False
