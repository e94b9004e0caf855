"""What an app has to share this host with while it is deployed."""

from attrs import frozen

from reconciler.host.processes.listeners import PORTS


@frozen
class Company:
    """What the apps of one worker have to share this host with.

    `has_company` is True if other recipes may be tried at the same time. `ports` are those from which the port of an
    app is chosen; other workers have other ports.
    """

    ports: range = PORTS
    has_company: bool = False
