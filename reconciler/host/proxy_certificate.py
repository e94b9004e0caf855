"""Connects to the proxy in front of a swarm's apps, and reads until when its certificate is valid."""

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from reconciler.errors import InfrastructureError

_SECONDS = 10.0
_PORTS = {"https": 443, "http": 80}


def certificate_end(proxy: str, domain: str) -> datetime | None:
    """Connect to the URL `proxy`. Return until when its certificate for `domain` is valid; None for an http URL.

    The certificate is checked as a browser does. Raise InfrastructureError if the proxy takes no connection, or if its
    certificate is not trusted or not for this domain.
    """
    url = urlsplit(proxy)
    address = (url.hostname or "", url.port or _PORTS.get(url.scheme, 80))
    try:
        with socket.create_connection(address, _SECONDS) as connection:
            return _end_of_certificate(connection, domain) if url.scheme == "https" else None
    except ssl.SSLCertVerificationError as refused:
        message = f"{proxy}: its certificate for {domain} is refused: {refused.verify_message}"
        raise InfrastructureError(message, "renew it, or install the issuer's certificate on this host") from refused
    except OSError as failed:
        raise InfrastructureError(
            f"{proxy} does not answer: {failed.strerror or failed}", "start the proxy"
        ) from failed


def _end_of_certificate(connection: socket.socket, domain: str) -> datetime | None:
    with ssl.create_default_context().wrap_socket(connection, server_hostname=domain) as encrypted:
        ends = (encrypted.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
