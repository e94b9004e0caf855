"""Where a fleet's messages about problems are sent to."""

from datetime import timedelta

from attrs import frozen

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""The names of this host in an address. What is sent to it crosses no network, so it need not be encrypted."""


@frozen
class Mail:
    """Where and how messages are sent by mail.

    * `server`: HOST:PORT of an SMTP server.
    * `to`, `from_`: the addresses of the receivers, and of the sender.
    * `user`: the name to log in with; "" if the server wants no login.
    * `password`: the path of a file with the password, or the name of a systemd credential; "" without a login.
    * `encryption`: "starttls", "tls" (from the beginning of the connection) or "none".
    """

    server: str
    to: tuple[str, ...]
    from_: str
    user: str = ""
    password: str = ""
    encryption: str = "starttls"


@frozen
class Webhook:
    """The URL to which messages are sent by HTTP POST.

    `token` is the path of a file with a bearer token, or the name of a systemd credential. It is "" if none is sent.
    """

    url: str
    token: str = ""


@frozen
class Apprise:
    """Where messages are sent by the library apprise.

    `urls` is the path of a file with the URLs, one on each line, or the name of a systemd credential.
    """

    urls: str


@frozen
class Notify:
    """Where messages about problems are sent: by `mail`, `webhook` and `apprise`; None for what is not declared.

    A problem that lasts is told again after the time `remind`.
    """

    remind: timedelta = timedelta(days=7)
    mail: Mail | None = None
    webhook: Webhook | None = None
    apprise: Apprise | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the names of the declared targets, such as "mail"."""
        ways = {"mail": self.mail, "webhook": self.webhook, "apprise": self.apprise}
        return tuple(name for name, way in ways.items() if way is not None)


def host_of(address: str) -> str:
    """Return the host in `address`, which is HOST:PORT or a URL."""
    after = address.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0]
    host, colon, port = after.rpartition(":")
    return host if colon and port.isdecimal() else after


def crosses_network(address: str) -> bool:
    """Return whether a message to `address` leaves this host. `address` is HOST:PORT or a URL."""
    return host_of(address) not in LOOPBACK
