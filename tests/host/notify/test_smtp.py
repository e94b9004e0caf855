"""Mail, sent to a real SMTP server on loopback that refuses, breaks off, is silent, or wants TLS and a password."""

import base64
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from desired.notify import Mail
from reconciler.errors import InfrastructureError
from reconciler.host.notify.smtp import MailNotifier
from reconciler.ports.notifier import Letter, RefusedMessageError
from tests.git_servers import CertificateAuthority, make_certificate_authority
from tests.message_servers import MailServer, mail_server, server_context

LETTER = Letter("abc123", datetime(2026, 11, 29, 3, tzinfo=UTC), "canon ci: red", "PROBLEM: notes\n.\nä\n", b"{}")
PASSWORD = "correct-horse"
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return make_certificate_authority(tmp_path_factory.mktemp("tls") / "ca")


def plain(server: MailServer, seconds: float = 20) -> MailNotifier:
    return MailNotifier(
        Mail(server.address, ("ops@example.org", "b@example.org"), "canon@example.org", "", "", "none"), seconds
    )


def error_of(notifier: MailNotifier) -> str:
    with pytest.raises(InfrastructureError) as failed:
        notifier.send(LETTER)
    return str(failed.value)


def test_a_mail_arrives_whole_at_all_recipients_and_says_that_a_program_wrote_it() -> None:
    with mail_server(MailServer()) as server:
        plain(server).send(LETTER)
    (mail,) = server.mails
    assert (mail["Subject"], mail["From"], mail["Message-ID"]) == (
        "canon ci: red",
        "canon@example.org",
        "<abc123@example.org>",
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == LETTER.at
    assert mail.get_content().replace("\r\n", "\n") == LETTER.text
    assert server.recipients == ["ops@example.org", "b@example.org"]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_mail_that_is_refused_is_an_error_with_the_server_s_words(verb: str) -> None:
    with mail_server(MailServer(refuses={verb: "451 try again later"})) as server:
        said = error_of(plain(server))
    assert (server.address in said, "try again later" in said, server.mails) == (True, True, [])


def test_a_mail_that_one_recipient_does_not_get_is_sent_and_names_that_one() -> None:
    with mail_server(MailServer(refuses={"b@example.org": "550 no such user"})) as server:
        said = plain(server).send(LETTER)
    assert (said, server.recipients) == ("not accepted for b@example.org (550 no such user)", ["ops@example.org"])
    assert len(server.mails) == 1


def test_a_mail_that_nobody_gets_is_an_error() -> None:
    refused = {"ops@example.org": "550 no such user", "b@example.org": "450 later"}
    with mail_server(MailServer(refuses=refused)) as server:
        said = error_of(plain(server))
    assert ("no such user" in said, "450" in said, server.mails) == (True, True, [])


@pytest.mark.parametrize(
    ("verb", "answer", "is_refused"),
    [
        (LETTER.subject, "552 too large", True),
        (LETTER.subject, "554 spam", True),
        (LETTER.subject, "451 try again later", False),
        ("DATA", "554 no", True),
        ("MAIL", "552 too large", True),
        ("MAIL", "550 not from you", False),
        ("RCPT", "550 no such user", False),
    ],
)
def test_only_a_mail_that_the_server_refuses_for_what_it_is_counts_as_refused_for_good(
    verb: str, answer: str, *, is_refused: bool
) -> None:
    with (
        mail_server(MailServer(refuses={verb: answer})) as server,
        pytest.raises(InfrastructureError, match=answer[4:]) as failed,
    ):
        plain(server).send(LETTER)
    assert (isinstance(failed.value, RefusedMessageError), server.mails) == (is_refused, [])


def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_to_the_goodbye() -> None:
    with mail_server(MailServer(refuses={"QUIT": "421 too slow"})) as server:
        assert plain(server).send(LETTER) == ""
    assert len(server.mails) == 1


def test_a_login_that_the_server_repeats_as_it_was_sent_is_hidden(tmp_path: Path) -> None:
    sent = base64.b64encode(f"\0canon\0{PASSWORD}".encode()).decode()
    with mail_server(MailServer(password=PASSWORD, refuses={"AUTH": f"535 AUTH PLAIN {sent} failed"})) as server:
        notifier = secret(plain(server), tmp_path)
        said = error_of(evolve(notifier, mail=evolve(notifier.mail, encryption="none")))
    assert ("AUTH PLAIN [redacted] failed" in said, sent in said) == (True, False)


def test_a_server_that_closes_the_connection_is_an_error() -> None:
    with mail_server(MailServer(closes_at="DATA")) as server:
        assert "closed" in error_of(plain(server))
    assert server.mails == []


def test_a_server_that_says_nothing_is_given_up() -> None:
    with mail_server(MailServer(silent=True)) as server:
        assert "no answer within 0.2 s" in error_of(plain(server, 0.2))
        server.ended.set()


def test_no_server_is_an_error_that_says_where() -> None:
    with mail_server(MailServer()) as server:
        gone = plain(server)
    assert error_of(gone) == f"{server.address}: Connection refused"


def test_a_server_without_starttls_gets_neither_mail_nor_password(tmp_path: Path) -> None:
    with mail_server(MailServer(password=PASSWORD)) as server:
        said = error_of(secret(plain(server), tmp_path))
    assert ("STARTTLS" in said, server.mails) == (True, [])


def secret(notifier: MailNotifier, folder: Path, password: str = PASSWORD) -> MailNotifier:
    """Let it log in, over STARTTLS."""
    (folder / "password").write_text(f"{password}\n")
    mail = evolve(notifier.mail, user="canon", password=str(folder / "password"), encryption="starttls")
    return evolve(notifier, mail=mail)


@needs_openssl
def test_a_password_crosses_only_tls_that_the_system_trusts(
    authority: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(MailServer(password=PASSWORD, tls=server_context(authority))) as server:
        untrusted = error_of(secret(plain(server), tmp_path))
        assert ("CERTIFICATE_VERIFY_FAILED" in untrusted, server.mails) == (True, [])
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        secret(plain(server), tmp_path).send(LETTER)
        assert (server.subjects(), server.encrypted) == (["canon ci: red"], [True])
        assert secret(plain(server), tmp_path).check() == f"{server.address} answers"
        assert len(server.mails) == 1


@needs_openssl
def test_a_wrong_password_is_never_shown_even_if_the_server_repeats_it(
    authority: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with mail_server(MailServer(password=PASSWORD, tls=server_context(authority))) as server:
        said = error_of(secret(plain(server), tmp_path, "wrong-battery"))
    assert "[redacted] is not the password" in said
    assert "wrong-battery" not in said


def test_a_credential_outside_of_the_unit_is_an_error_to_send_and_none_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with mail_server(MailServer()) as server:
        notifier = plain(server)
        notifier = evolve(notifier, mail=evolve(notifier.mail, user="canon", password="smtp"))
        assert "the credential smtp is only there in a unit with LoadCredential=smtp:PATH" in error_of(notifier)
        assert notifier.check() == f"{server.address} answers; the password is a credential of the unit"


def test_giving_up_leaves_a_thread_that_keeps_no_process_alive() -> None:
    with mail_server(MailServer(silent=True)) as server:
        error_of(plain(server, 0.1))
        left = [thread for thread in threading.enumerate() if thread.name == "notify"]
        assert all(thread.daemon for thread in left)
        server.ended.set()
