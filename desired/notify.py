"""Where a fleet's messages about problems are sent to."""

from datetime import timedelta

from attrs import frozen

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""The names of this host in an address. What is sent to it crosses no network, so it need not be encrypted."""


@frozen
class Mail:
    """Messages by mail. `server` is HOST:PORT of an SMTP server.

    `password` is the path of a file, or the name of a systemd credential; both it and `user` are "" if the server wants
    none. `encryption` is "starttls", "tls" (from the beginning of the connection) or "none".
    """

    server: str
    to: tuple[str, ...]
    from_: str
    user: str = ""
    password: str = ""
    encryption: str = "starttls"


@frozen
class Webhook:
    """Messages by HTTP POST to `url`.

    `token` is the path of a file with a bearer token, or the name of a systemd credential; "" if none is sent.
    """

    url: str
    token: str = ""


@frozen
class Apprise:
    """Messages by the library apprise.

    `urls` is the path of a file with its URLs, one on each line, or the name of a systemd credential.
    """

    urls: str


@frozen
class Notify:
    """How messages are sent. A problem that lasts is told again after `remind`. A way is None if it is not declared."""

    remind: timedelta = timedelta(days=7)
    mail: Mail | None = None
    webhook: Webhook | None = None
    apprise: Apprise | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the names of the declared ways to send messages."""
        ways = {"mail": self.mail, "webhook": self.webhook, "apprise": self.apprise}
        return tuple(name for name, way in ways.items() if way is not None)


def host_of(address: str) -> str:
    """Return the host of HOST:PORT, or of a URL."""
    after = address.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0]
    host, colon, port = after.rpartition(":")
    return host if colon and port.isdecimal() else after


def crosses_network(address: str) -> bool:
    """Whether what is sent to an address, a URL or HOST:PORT, leaves this host."""
    return host_of(address) not in LOOPBACK
