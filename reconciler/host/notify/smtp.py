"""Sends messages by mail."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime

from attrs import frozen

from desired.notify import Mail
from reconciler.host.credential import is_readable_here, read_credential
from reconciler.host.notify.time_limit import SECONDS, Target
from reconciler.ports.notifier import Letter

_SOCKET_SECONDS = 15.0
_GOODBYE_SECONDS = 2.0
_PERMANENT = range(500, 600)
_TOO_LARGE = 552


@frozen
class MailNotifier:
    """Sends mail by an SMTP server: implements the port Notifier.

    `mail` is the table [notify.mail] of the fleet. `seconds` is the time limit for one mail. Certificates are checked
    against the system's CA certificates, or against the file that SSL_CERT_FILE names.
    """

    mail: Mail
    seconds: float = SECONDS

    def send(self, letter: Letter) -> str:
        password = self._password() if self.mail.password else ""
        return self._in_time(lambda: self._deliver(mail_of(letter, self.mail), password), password)

    def check(self) -> str:
        """Connect to the server and log in, but send no mail. Return a text such as "mail.example.org:587 answers".

        If this process is not allowed to read the password, only connect. The text then says so.
        """
        if not is_readable_here(self.mail.password or "/"):
            self._in_time(lambda: self._log_in(""), "")
            return f"{self.mail.server} answers; the password is a credential of the unit"
        password = self._password() if self.mail.password else ""
        self._in_time(lambda: self._log_in(password), password)
        return f"{self.mail.server} answers"

    def _password(self) -> str:
        return read_credential(self.mail.password, "the password of the mail server", "[notify.mail] password")

    def _in_time(self, call: Callable[[], str], password: str) -> str:
        """Run `call` within the time limit, and return what it returns.

        Raise RefusedMessageError if the server refuses the mail for good, InfrastructureError for any other failure.
        The password is hidden in errors, also in the form in which AUTH PLAIN sends the password: see RFC 4616.
        """
        target = Target(self.mail.server, self.seconds, _is_about_the_message)
        return target.ask(call, [password, f"\0{self.mail.user}\0{password}"])

    def _deliver(self, message: EmailMessage, password: str) -> str:
        """Send the mail. Return which recipients the server refused, and why; "" if it refused none.

        Raise an OSError of smtplib if the server refused all recipients, or the mail.
        """
        with self._connected(password) as server:
            refused = server.send_message(message)
        each = (f"{name} ({code} {said.decode('utf-8', 'replace')})" for name, (code, said) in sorted(refused.items()))
        return f"not accepted for {', '.join(each)}" if refused else ""

    def _log_in(self, password: str) -> str:
        with self._connected(password):
            return ""

    @contextmanager
    def _connected(self, password: str) -> Iterator[smtplib.SMTP]:
        """Yield a connection to the server, encrypted as declared, and logged in if `password` is not ""."""
        host, _, port = self.mail.server.rpartition(":")
        host = host.strip("[]")
        context = ssl.create_default_context()
        if self.mail.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=_SOCKET_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, int(port), timeout=_SOCKET_SECONDS)
        try:
            if self.mail.encryption == "starttls":
                server.starttls(context=context)
            if password:
                server.login(self.mail.user, password)
            yield server
        finally:
            _say_goodbye(server)


def _say_goodbye(server: smtplib.SMTP) -> None:
    """End the connection, and ignore any error: a mail that the server has accepted is sent all the same."""
    with suppress(OSError):
        if server.sock is not None:
            server.sock.settimeout(_GOODBYE_SECONDS)
        server.quit()
    server.close()


def _is_about_the_message(failed: Exception) -> bool:
    """Return whether an error means that a server refused a mail for good because of its content or its size.

    Return False if the server refused the sender or a recipient: it would refuse them in every other mail too.
    """
    if isinstance(failed, smtplib.SMTPSenderRefused):
        return failed.smtp_code == _TOO_LARGE  # of SIZE: RFC 1870
    return isinstance(failed, smtplib.SMTPDataError) and failed.smtp_code in _PERMANENT


def mail_of(letter: Letter, mail: Mail) -> EmailMessage:
    """Return the letter as a mail. The Message-ID is made from the letter's id, so that a second copy is recognised."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = letter.subject, mail.from_, ", ".join(mail.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{mail.from_.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no vacation notice answers it: RFC 3834
    message.set_content(letter.text)
    return message
