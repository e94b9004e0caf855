"""Sends messages by mail."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime

from attrs import frozen

from desired.notify import Mail
from reconciler.errors import InfrastructureError, in_one_line
from reconciler.host.credential import is_readable_here, read_credential
from reconciler.host.notify.time_limit import SECONDS, in_time
from reconciler.ports.notifier import Letter
from reconciler.redact import redaction

_SOCKET_SECONDS = 15.0


@frozen
class MailNotifier:
    """Sends mail by an SMTP server: implements the port Notifier.

    `mail` is the table [notify.mail] of the fleet. `seconds` is the time limit for one mail. Certificates are checked
    against those of the system, or against those that SSL_CERT_FILE names.
    """

    mail: Mail
    seconds: float = SECONDS

    def send(self, letter: Letter) -> None:
        password = self._password() if self.mail.password else ""
        self._in_time(lambda: self._deliver(mail_of(letter, self.mail), password), password)

    def check(self) -> str:
        """Connect to the server and log in, but send no mail. Return a text such as "mail.example.org:587 answers".

        If this process may not read the password, do not log in; the text says so.
        """
        if not is_readable_here(self.mail.password or "/"):
            self._in_time(lambda: self._log_in(""), "")
            return f"{self.mail.server} answers; the password is a credential of the unit"
        password = self._password() if self.mail.password else ""
        self._in_time(lambda: self._log_in(password), password)
        return f"{self.mail.server} answers"

    def _password(self) -> str:
        return read_credential(self.mail.password, "the password of the mail server", "[notify.mail] password")

    def _in_time(self, call: Callable[[], str], password: str) -> None:
        """Run `call` within the time limit. Raise InfrastructureError if `call` fails or takes too long.

        The password is removed from the message of the error, because the server may repeat it.
        """
        try:
            in_time(call, self.seconds)
        except (InfrastructureError, OSError) as failed:
            said = redaction([password.encode()]).apply(in_one_line(failed).encode()).decode("utf-8", "replace")
            raise InfrastructureError(f"{self.mail.server}: {said}") from failed

    def _deliver(self, message: EmailMessage, password: str) -> str:
        with self._connected(password) as server:
            refused = server.send_message(message)
        if refused:
            raise InfrastructureError(f"not accepted for {', '.join(sorted(refused))}")
        return ""

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
        with server:
            if self.mail.encryption == "starttls":
                server.starttls(context=context)
            if password:
                server.login(self.mail.user, password)
            yield server


def mail_of(letter: Letter, mail: Mail) -> EmailMessage:
    """Return the letter as a mail. The Message-ID is made from the letter's id, so that a second copy is recognised."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = letter.subject, mail.from_, ", ".join(mail.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{mail.from_.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no vacation notice answers it: RFC 3834
    message.set_content(letter.text)
    return message
