"""What an app shares this host with while it is deployed."""

from attrs import frozen

from reconciler.host.processes.listeners import PORTS


@frozen
class Company:
    """Whether other recipes may be tried on this host at the same time, and which ports they leave free.

    `ports` are those from which Canon chooses the port of an app; workers that run at the same time have others.
    """

    ports: range = PORTS
    has_company: bool = False
