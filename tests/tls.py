"""A real server for repositories over TLS with a CA of its own, or as a proxy; the certificates are made by openssl."""

import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@frozen
class Authority:
    """A private CA in `folder`, with a certificate for 127.0.0.1 and one for a client."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def files(self, name: str) -> tuple[Path, Path]:
        """The certificate and the key of "server" or "client"."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def authority(folder: Path) -> Authority:
    """A new one in the new folder `folder`; needs openssl."""
    folder.mkdir()
    made = Authority(folder)
    _openssl(
        folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Private CA"
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return made


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)


class _Files(http.server.SimpleHTTPRequestHandler):
    """Repositories as plain files, also where a client takes the server for a proxy and asks by whole addresses."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(urlsplit(path).path)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(root: Path, tls: Authority | None = None, *, clients: bool = False) -> Iterator[str]:
    """The address of a server of what lies below `root`; with `clients` it wants a certificate of theirs."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: _Files(*given, directory=str(root))
    ) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = _context(tls, clients=clients).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _context(tls: Authority, *, clients: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls.files("server"))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.certificate)
    return context
