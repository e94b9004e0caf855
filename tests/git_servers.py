"""Real servers of git repositories: git http-backend behind lighttpd, and plain files over TLS or as a proxy."""

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import frozen

from tests.repositories import UpstreamRepository

_BACKEND = Path("/usr/lib/git-core/git-http-backend")
_PATIENCE = 20.0
TLS_MODULE = Path("/usr/lib/lighttpd/mod_openssl.so")

_CONFIGURATION = """\
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.errorlog = "{work}/error.log"
server.upload-dirs = ("{work}")
server.modules = ("mod_alias", "mod_setenv", "mod_cgi")
alias.url = ("/git" => "{backend}")
cgi.assign = ("" => "")
setenv.set-environment = (
    "GIT_PROJECT_ROOT" => "{root}", "GIT_HTTP_EXPORT_ALL" => "1",
    "GIT_CONFIG_NOSYSTEM" => "1", "GIT_CONFIG_GLOBAL" => "/dev/null",
)
"""


# With TLS, lighttpd speaks HTTP/2 too.
_TLS = """\
server.modules += ("mod_openssl")
ssl.engine = "enable"
ssl.pemfile = "{certificate}"
ssl.privkey = "{key}"
"""


@frozen
class Forge:
    """Serves every repository below `root` at `url`/NAME.git."""

    root: Path
    url: str

    def repository(self, name: str, branch: str = "main") -> UpstreamRepository:
        """Make a new repository. It is served at once."""
        return UpstreamRepository.make(self.root / f"{name}.git", branch)

    def address(self, name: str) -> str:
        return f"{self.url}/{name}.git"

    def without_main_branch(self, head: str) -> tuple[str, str]:
        """Make a repository with the release 1.0.0 whose file HEAD is `head`; "{commit}" there stands for its commit.

        Returns its address and the commit.
        """
        name = f"headless-{len(head)}"
        repository = self.repository(name)
        commit = repository.commit()
        repository.tag("1.0.0")
        (repository.path / "HEAD").write_text(head.format(commit=commit))
        return self.address(name), commit


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def forge(folder: Path, tls: "CertificateAuthority | None" = None, *, drops_protocol: bool = False) -> Iterator[Forge]:
    """Serve repositories from the new folder `folder`. Skips the test where lighttpd is not installed.

    With `drops_protocol`, git does not learn which version of its protocol a client speaks.
    """
    program = shutil.which("lighttpd", path="/usr/local/sbin:/usr/sbin:/usr/bin")
    if program is None or not _BACKEND.exists():
        pytest.skip("no real web server: Debian's package lighttpd (and git's http-backend) are not installed")
    root, work = folder / "repositories", folder / "server"
    root.mkdir(parents=True)
    work.mkdir()
    port = free_port()
    settings = work / "lighttpd.conf"
    text = _CONFIGURATION.format(port=port, root=root, work=work, backend=_BACKEND)
    if tls is not None:
        certificate, key = tls.files("server")
        text += _TLS.format(certificate=certificate, key=key)
    if drops_protocol:
        text += 'setenv.set-request-header = ("Git-Protocol" => "")\n'
    settings.write_text(text)
    server = subprocess.Popen([program, "-D", "-f", settings], stdin=subprocess.DEVNULL)
    try:
        wait_until_open(server, port)
        yield Forge(root, f"{'https' if tls else 'http'}://127.0.0.1:{port}/git")
    finally:
        server.terminate()
        server.wait()


def wait_until_open(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until a server listens on a port of this host, or ends. Fails after a while."""
    until = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("the web server did not come up")


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@frozen
class CertificateAuthority:
    """A private CA in `folder`, with a certificate for a server and one for a client."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def files(self, name: str) -> tuple[Path, Path]:
        """The certificate and the key of "server" or "client"."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def make_certificate_authority(folder: Path, address: str = "127.0.0.1") -> CertificateAuthority:
    """Make a private CA and its certificates, for a server at `address`, in the new folder `folder`. Needs openssl."""
    folder.mkdir()
    made = CertificateAuthority(folder)
    _openssl(
        folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Private CA",
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    (folder / "names").write_text(f"subjectAltName=IP:{address}\nauthorityKeyIdentifier=keyid\n")
    for name in ("server", "client"):
        _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return made


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)


class _FileHandler(http.server.SimpleHTTPRequestHandler):
    """Serves repositories as plain files, also to clients that use the server as a proxy and send whole URLs."""

    listing = b""
    meeting = threading.Barrier(1)

    def translate_path(self, path: str) -> str:
        return super().translate_path(urlsplit(path).path)

    def do_POST(self) -> None:
        """Answer `ls-refs` with the server's listing."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self.listing:
            self.send_error(405)
            return
        self.meeting.wait(_PATIENCE)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-result")
        self.send_header("Content-Length", str(len(self.listing)))
        self.end_headers()
        self.wfile.write(self.listing)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def file_server(
    root: Path,
    tls: CertificateAuthority | None = None,
    *,
    clients: bool = False,
    listing: bytes = b"",
    together: int = 1,
) -> Iterator[str]:
    """Serve the files below `root` and yield the server's URL. With `clients`, clients need a certificate.

    `listing` is the answer to every POST; without it a POST is refused. It is sent when `together` POSTs wait for it.
    Connections stay open.
    """
    values = {"listing": listing, "meeting": threading.Barrier(together), "protocol_version": "HTTP/1.1"}
    handler = type("_Handler", (_FileHandler,), values)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: handler(*given, directory=str(root))
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


def _context(tls: CertificateAuthority, *, clients: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls.files("server"))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.certificate)
    return context
