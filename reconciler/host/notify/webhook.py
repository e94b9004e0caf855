"""Sends messages by HTTP POST of JSON."""

import http.client
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from attrs import frozen

from desired.notify import Webhook
from reconciler.errors import InfrastructureError, in_one_line
from reconciler.host.credential import read_credential
from reconciler.host.notify.time_limit import SECONDS, in_time
from reconciler.ports.notifier import Letter
from reconciler.redact import redaction

_SOCKET_SECONDS = 15.0
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)


@frozen
class WebhookNotifier:
    """Sends messages to a URL: implements the port Notifier.

    `webhook` is the table [notify.webhook] of the fleet. `seconds` is the time limit for one message. Python's plain
    HTTP client is used, because it follows no redirects and ignores proxies. Certificates are checked against those of
    the system, or against those that SSL_CERT_FILE names.
    """

    webhook: Webhook
    seconds: float = SECONDS

    def send(self, letter: Letter) -> None:
        token = self._token()
        headers = {"Content-Type": "application/json", "User-Agent": "canon-reconcile", "Idempotency-Key": letter.id}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._in_time(lambda: self._post(letter.document, headers), token)

    def check(self) -> str:
        """Connect to the server, with TLS for an https URL. Return a text such as "https://example.org answers".

        Send no request, because the server could take any request for a message.
        """
        self._in_time(self._connect, "")
        return f"{self._place} answers"

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

    def _in_time(self, call: Callable[[], str], token: str) -> None:
        """Run `call` within the time limit. Raise InfrastructureError if `call` fails or takes too long.

        The token is removed from the message of the error, because the server may repeat it.
        """
        try:
            in_time(call, self.seconds)
        except (InfrastructureError, OSError) as failed:
            said = redaction([token.encode()]).apply(in_one_line(failed).encode()).decode("utf-8", "replace")
            raise InfrastructureError(f"{self._place}: {said}") from failed

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
        """Send `body` to the URL by one POST request. Return "".

        Raise InfrastructureError unless the answer has a status from 200 to 299.
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
            raise InfrastructureError(f"it answered {status} {reason}".rstrip())
        return ""
