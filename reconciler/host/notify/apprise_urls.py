"""Sends messages by the library apprise, which is an extra: pip install 'canon-reconcile[apprise]'."""

import logging
from typing import Any

from attrs import frozen

from desired.notify import Apprise
from reconciler.errors import InfrastructureError
from reconciler.host.credential import is_readable_here, read_credential
from reconciler.host.notify.time_limit import SECONDS, in_time
from reconciler.ports.notifier import Letter

_MISSING = "apprise is not installed"
_INSTALL = "install it beside Canon: pip install 'canon-reconcile[apprise]'"


@frozen
class AppriseNotifier:
    """Sends messages by the library apprise: implements the port Notifier.

    `declared` is the table [notify.apprise] of the fleet. `seconds` is the time limit for all URLs together. The URLs
    hold secrets, so errors name a URL only by its number. If sending to one URL fails, apprise does not say which. So
    the next attempt sends the message to all URLs again.
    """

    declared: Apprise
    seconds: float = SECONDS

    def send(self, letter: Letter) -> None:
        sender = self._sender()
        in_time(lambda: _notify(sender, letter), self.seconds)

    def check(self) -> str:
        """Check the URLs without sending anything. Return what was found, such as "2 URLs are valid".

        If the URLs are a systemd credential that this process may not read, only check that apprise is installed; the
        text says so. Raise InfrastructureError if a URL is not valid, or apprise is missing.
        """
        if not is_readable_here(self.declared.urls):
            _load()
            return "its URLs are a credential of the unit"
        return f"{len(self._sender())} URLs are valid"

    def _sender(self) -> Any:  # noqa: ANN401  apprise is optional, so its types may be missing
        """Return apprise's sender with the declared URLs. Raise InfrastructureError if a URL is not valid."""
        text = read_credential(self.declared.urls, "the file with apprise's URLs", "[notify.apprise] urls")
        sender = _load().Apprise()
        urls = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        for number, url in enumerate(urls, 1):
            if not sender.add(url):
                raise InfrastructureError(f"apprise does not know what its URL number {number} means", "see its file")
        if not urls:
            raise InfrastructureError("the file with apprise's URLs has none", "see [notify.apprise] urls")
        return sender


def _load() -> Any:  # noqa: ANN401  as above
    try:
        import apprise
    except ImportError as missing:
        raise InfrastructureError(_MISSING, _INSTALL) from missing
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log its URLs
    return apprise


def _notify(sender: Any, letter: Letter) -> str:  # noqa: ANN401  as above
    if not sender.notify(title=letter.subject, body=letter.text):
        raise InfrastructureError("apprise could not send to all of its URLs")
    return ""
