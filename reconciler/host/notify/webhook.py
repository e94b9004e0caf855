"""Sends messages by HTTP POST of JSON."""

import http.client
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from attrs import frozen

from desired.notify import Webhook
from reconciler.errors import InfrastructureError
from reconciler.host.credential import is_readable_here, read_credential
from reconciler.host.notify.time_limit import SECONDS, Target
from reconciler.ports.notifier import Letter, RefusedMessageError

_SOCKET_SECONDS = 15.0
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)
_REFUSED = frozenset(range(400, 500)) - {401, 404, 405, 407, 408, 410, 421, 423, 425, 426, 429}
"""The statuses that may be about the message: too large, or not as the server or a filter before it wants it. Not those
that are about the URL or the login, or that tell to try again."""


@frozen
class WebhookNotifier:
    """Sends messages to a URL: implements the port Notifier.

    `webhook` is the table [notify.webhook] of the fleet. `seconds` is the time limit for one message. Python's plain
    HTTP client is used, because it follows no redirects and ignores proxies. Certificates are checked against the
    system's CA certificates, or against the file that SSL_CERT_FILE names.
    """

    webhook: Webhook
    seconds: float = SECONDS

    def send(self, letter: Letter) -> str:
        token = self._token()
        headers = {"Content-Type": "application/json", "User-Agent": "canon-reconcile", "Idempotency-Key": letter.id}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._in_time(lambda: self._post(letter.document, headers), token)

    def check(self) -> str:
        """Connect to the server, with TLS for an https URL. Return a text such as "https://example.org answers".

        Send no request, because the server could take any request for a message. Also try to read the token. If this
        process is not allowed to read it, do not try; the text then says so.
        """
        is_readable = is_readable_here(self.webhook.token or "/")
        token = self._token() if is_readable else ""
        self._in_time(self._connect, token)
        return f"{self._place} answers{'' if is_readable else '; the token is a credential of the unit'}"

    @property
    def _place(self) -> str:
        """Return scheme and host of the URL: "https://example.org". The path is left out, as it may be a secret."""
        parts = urlsplit(self.webhook.url)
        return f"{parts.scheme}://{parts.netloc}"

    def _token(self) -> str:
        if not self.webhook.token:
            return ""
        token = read_credential(self.webhook.token, "the webhook's token", "[notify.webhook] token")
        if not token.isascii() or not token.isprintable():
            raise InfrastructureError("the webhook's token has characters that no header can have", "see its file")
        return token

    def _in_time(self, call: Callable[[], str], token: str) -> str:
        """Run `call` within the time limit, and return what it returns.

        Raise RefusedMessageError if the server refuses the message for good, InfrastructureError for any other failure.
        The token, the path and the query are hidden in errors.
        """
        parts = urlsplit(self.webhook.url)
        target = Target(self._place, self.seconds, lambda failed: isinstance(failed, RefusedMessageError))
        return target.ask(call, [token, parts.path, parts.query])

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.webhook.url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(parts.netloc, timeout=_SOCKET_SECONDS, context=context)
        return http.client.HTTPConnection(parts.netloc, timeout=_SOCKET_SECONDS)

    def _connect(self) -> str:
        connection = self._connection()
        try:
            connection.connect()
        finally:
            connection.close()
        return ""

    def _post(self, body: bytes, headers: dict[str, str]) -> str:
        """Send `body` to the URL by one POST request. Return "" if the answer has a status from 200 to 299.

        Raise RefusedMessageError for a status in _REFUSED: the server refuses this message for good, but may accept
        another one. Raise InfrastructureError for any other status, and if there is no answer in HTTP. Raise OSError if
        the connection fails.
        """
        parts = urlsplit(self.webhook.url)
        connection = self._connection()
        try:
            connection.request("POST", f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", body, headers)
            with connection.getresponse() as answer:
                status, reason = answer.status, answer.reason
        except http.client.RemoteDisconnected as failed:
            raise InfrastructureError("it closed the connection without an answer") from failed
        except http.client.HTTPException as failed:
            raise InfrastructureError(f"no answer in HTTP: {type(failed).__name__}") from failed
        finally:
            connection.close()
        if status in _REDIRECTS:
            raise InfrastructureError(f"it answered {status}, and redirects are not followed")
        if status not in _SUCCESS:
            kind = RefusedMessageError if status in _REFUSED else InfrastructureError
            raise kind(f"it answered {status} {reason}".rstrip())
        return ""
