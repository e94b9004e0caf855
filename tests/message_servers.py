"""Real servers of messages on loopback: the smallest one that speaks SMTP, and one that takes HTTP POSTs."""

import base64
import http.server
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from attrs import define, field

from tests.git_servers import CertificateAuthority


def server_context(authority: CertificateAuthority) -> ssl.SSLContext:
    """Return the TLS of a server whose certificate is signed by the private CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.files("server"))
    return context


@define
class MailServer:
    """An SMTP server.

    `refuses` is what it answers in place of a success, as "421 busy", by verb, by recipient, or by subject of a mail.

    With `password` it wants AUTH PLAIN as canon. `silent`: it says nothing at all. `closes_at` is a verb at which it
    closes the connection.
    """

    port: int = 0
    refuses: dict[str, str] = field(factory=dict)
    password: str = ""
    silent: bool = False
    closes_at: str = ""
    tls: ssl.SSLContext | None = None
    mails: list[EmailMessage] = field(factory=list)
    recipients: list[str] = field(factory=list)
    encrypted: list[bool] = field(factory=list)
    ended: threading.Event = field(factory=threading.Event)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


class _Session(socketserver.StreamRequestHandler):
    """One connection to the mail server."""

    def handle(self) -> None:
        told: MailServer = self.server.told  # type: ignore[attr-defined]  # set where the server is made
        self.is_encrypted, self.logged_in = False, not told.password
        if told.silent:
            told.ended.wait()
            return
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line.decode().split(":")[0].split()[0].upper()
            if verb == told.closes_at:
                return
            if verb in told.refuses:
                self._say(told.refuses[verb])
            elif not getattr(self, f"_{verb.lower()}", self._unknown)(told, line.decode().strip()):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _say(self, text: str) -> bool:
        self.wfile.write(f"{text}\r\n".encode())
        return True

    def _unknown(self, _: MailServer, __: str) -> bool:
        return self._say("502 not known")

    def _ehlo(self, told: MailServer, _: str) -> bool:
        starttls = "250-STARTTLS\r\n" if told.tls and not self.is_encrypted else ""
        auth = "250-AUTH PLAIN\r\n" if told.password else ""
        return self._say(f"250-here\r\n{starttls}{auth}250 SIZE 1000000")

    def _starttls(self, told: MailServer, _: str) -> bool:
        assert told.tls is not None
        self._say("220 go on")
        try:
            self.connection = told.tls.wrap_socket(self.connection, server_side=True)
        except OSError:
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.is_encrypted = True
        return True

    def _auth(self, told: MailServer, line: str) -> bool:
        given = base64.b64decode(line.split()[2]).decode().split("\0")
        self.logged_in = given[1:] == ["canon", told.password]
        return self._say("235 welcome" if self.logged_in else f"535 {given[2]} is not the password")

    def _mail(self, _: MailServer, __: str) -> bool:
        return self._say("250 ok" if self.logged_in else "530 log in first")

    def _rcpt(self, told: MailServer, line: str) -> bool:
        address = line.partition("<")[2].partition(">")[0]
        if address in told.refuses:
            return self._say(told.refuses[address])
        told.recipients.append(address)
        return self._say("250 ok")

    def _data(self, told: MailServer, _: str) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        if mail["Subject"] in told.refuses:
            return self._say(told.refuses[mail["Subject"]])
        told.mails.append(mail)
        told.encrypted.append(self.is_encrypted)
        return self._say("250 taken")

    def _rset(self, _: MailServer, __: str) -> bool:
        return self._say("250 ok")

    def _quit(self, _: MailServer, __: str) -> bool:
        return self._say("221 bye") and False


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that breaks off is part of these tests."""


@contextmanager
def mail_server(told: MailServer) -> Iterator[MailServer]:
    """Serve mail on loopback as `told` says. On the port of an earlier server if `told` has one."""
    with _Threads(("127.0.0.1", told.port), _Session) as server:
        server.told = told  # type: ignore[attr-defined]  # read by each session
        told.port = server.server_address[1]
        with _serving(server):
            yield told
        told.ended.set()


@define
class Posted:
    """A request that the web server got."""

    path: str
    headers: dict[str, str]
    body: bytes


@define
class HookServer:
    """A web server that takes POSTs and answers `status`, or that of the first text in `statuses` that the body has.

    `silent`: it never answers. `drips`: without an end. `reason` is what it says beside the status, "" for the usual.
    """

    status: int = 204
    statuses: dict[str, int] = field(factory=dict)
    reason: str = ""
    silent: bool = False
    drips: bool = False
    closes: bool = False
    port: int = 0
    got: list[Posted] = field(factory=list)
    ended: threading.Event = field(factory=threading.Event)

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/hooks/s3cret-path?x=1"


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        told: HookServer = self.server.told  # type: ignore[attr-defined]  # set where the server is made
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told.got.append(Posted(self.path, dict(self.headers), body))
        if told.silent:
            told.ended.wait()
        if told.silent or told.closes:
            return
        while told.drips and not told.ended.wait(0.05):
            self.wfile.write(b"H")
        status = next((code for text, code in told.statuses.items() if text in body.decode()), told.status)
        self.send_response(status, told.reason or None)
        if 300 <= told.status < 400:
            self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hook_server(told: HookServer, tls: ssl.SSLContext | None = None) -> Iterator[HookServer]:
    """Take POSTs on loopback as `told` says, with TLS if there is a context for it."""
    with _Threads(("127.0.0.1", told.port), _Hook) as server:
        server.told = told  # type: ignore[attr-defined]  # read by each request
        told.port = server.server_address[1]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        with _serving(server):
            yield told
        told.ended.set()


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
