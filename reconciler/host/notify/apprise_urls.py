"""Sends messages by the library apprise, which is an extra: pip install 'canon-reconcile[apprise]'."""

import logging
from typing import Any

from attrs import frozen

from desired.notify import Apprise
from reconciler.errors import InfrastructureError, in_one_line
from reconciler.host.credential import is_readable_here, read_credential
from reconciler.host.notify.time_limit import SECONDS, in_time
from reconciler.ports.notifier import Letter

_MISSING = "apprise is not installed"
_INSTALL = "install it beside Canon: pip install 'canon-reconcile[apprise]'"


@frozen
class AppriseNotifier:
    """Sends messages by the library apprise: implements the port Notifier. `seconds` is the time limit for each URL.

    The URLs contain secrets, so errors name them only by their number. Each URL gets a sender of its own, because a
    sender for several URLs does not say which URL failed.
    """

    declared: Apprise
    seconds: float = SECONDS

    def send(self, letter: Letter) -> str:
        senders = self._senders()
        failed = list(filter(None, (self._failure(number, sender, letter) for number, sender in enumerate(senders, 1))))
        said = f"apprise could not send to its {', '.join(failed)}" if failed else ""
        if len(failed) == len(senders):
            raise InfrastructureError(said)
        return said

    def _failure(self, number: int, sender: Any, letter: Letter) -> str:  # noqa: ANN401  apprise's types may be missing
        """Send the letter by `sender`, made for URL `number`. Return ""; after a failure, the number and the reason."""
        try:
            in_time(lambda: _notify(sender, letter), self.seconds)
        except (InfrastructureError, OSError) as failed:
            return f"URL number {number} ({in_one_line(failed)})"
        return ""

    def check(self) -> str:
        """Check the URLs without sending anything. Return what was found, such as "2 URLs are valid".

        If this process is not allowed to read the systemd credential with the URLs, only check that apprise is
        installed. The text then says so. Raise InfrastructureError if a URL is not valid, or apprise is missing.
        """
        if not is_readable_here(self.declared.urls):
            _load()
            return "its URLs are a credential of the unit"
        return f"{len(self._senders())} URLs are valid"

    def _senders(self) -> list[Any]:
        """Return apprise's sender for each declared URL. Raise InfrastructureError if a URL is not valid."""
        text = read_credential(self.declared.urls, "the file with apprise's URLs", "[notify.apprise] urls")
        apprise, senders = _load(), list[Any]()
        urls = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        for number, url in enumerate(urls, 1):
            senders.append(apprise.Apprise())
            if not senders[-1].add(url):
                raise InfrastructureError(f"apprise does not know what its URL number {number} means", "see its file")
        if not urls:
            raise InfrastructureError("the file with apprise's URLs has none", "see [notify.apprise] urls")
        return senders


def _load() -> Any:  # noqa: ANN401  as above
    try:
        import apprise
    except ImportError as missing:
        raise InfrastructureError(_MISSING, _INSTALL) from missing
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log its URLs
    return apprise


def _notify(sender: Any, letter: Letter) -> str:  # noqa: ANN401  as above
    if not sender.notify(title=letter.subject, body=letter.text):
        raise InfrastructureError("it does not say why")
    return ""
