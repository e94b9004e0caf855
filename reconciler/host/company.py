"""What an app shares this host with while it is deployed."""

from attrs import frozen

from reconciler.host.processes.listeners import PORTS


@frozen
class Company:
    """What the app of one worker has to share this host with.

    `has_company` is True if other recipes may be tried on this host at the same time. `ports` are those from which
    Canon chooses the port of an app; workers that run at the same time choose from other ports.
    """

    ports: range = PORTS
    has_company: bool = False
