"""Check the keys of `[notify]` together."""

from collections.abc import Iterator

from desired.declarations.fleet_tables import FleetFile
from desired.declarations.problems import Flaw
from desired.declarations.structure import Reading
from desired.notify import crosses_network

_NEEDED = {"mail": ("server", "to", "from"), "webhook": ("url",), "apprise": ("urls",)}
"""The keys that each table needs."""


def notify_flaws(fleet: Reading[FleetFile]) -> Iterator[Flaw]:
    """Yield the flaws of `[notify]`: keys that are missing, and secrets that would cross a network unencrypted."""
    for way, keys in _NEEDED.items():
        if fleet.gives("notify", way):
            for key in keys:
                if fleet.lacks("notify", way, key):
                    yield Flaw(("notify", way), f"needs {key}")
    yield from _mail(fleet)
    webhook = fleet.tables.notify.webhook
    if webhook.token and (webhook.url or "").startswith("http://") and crosses_network(webhook.url or ""):
        yield Flaw(("notify", "webhook", "token"), "would be sent unencrypted: use https")


def _mail(fleet: Reading[FleetFile]) -> Iterator[Flaw]:
    """Yield the flaws of `[notify.mail]`.

    These are: no receiver, only one of `user` and `password`, and a password that would be sent unencrypted.
    """
    mail = fleet.tables.notify.mail
    if mail.to == ():
        yield Flaw(("notify", "mail", "to"), "names nobody")
    for key, other in (("user", "password"), ("password", "user")):
        if fleet.gives("notify", "mail", key) and fleet.lacks("notify", "mail", other):
            yield Flaw(("notify", "mail", key), f"needs {other}")
    if mail.encryption == "none" and mail.password and crosses_network(mail.server or ""):
        yield Flaw(("notify", "mail", "encryption"), 'is "none", and the password would be sent unencrypted')
