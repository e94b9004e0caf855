"""Messages by HTTP, sent to a real server on loopback that refuses, redirects, breaks off, is silent, or has TLS."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desired.notify import Webhook
from reconciler.errors import InfrastructureError
from reconciler.host.notify.webhook import WebhookNotifier
from reconciler.ports.notifier import Letter, RefusedMessageError
from tests.git_servers import make_certificate_authority
from tests.message_servers import HookServer, hook_server, server_context

LETTER = Letter("abc123", datetime(2026, 11, 29, 3, tzinfo=UTC), "canon ci: red", "PROBLEM\n", b'{"id": "abc123"}\n')


def error_of(server: HookServer, token: str = "", seconds: float = 20) -> str:
    with pytest.raises(InfrastructureError) as failed:
        WebhookNotifier(Webhook(server.url(), token), seconds).send(LETTER)
    return str(failed.value)


def test_a_message_arrives_whole_with_its_token_and_the_same_id_each_time(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken-of-the-hook\n")
    with hook_server(HookServer()) as server:
        notifier = WebhookNotifier(Webhook(server.url(), str(tmp_path / "token")))
        notifier.send(LETTER)
        notifier.send(LETTER)
    assert [each.body for each in server.got] == [LETTER.document] * 2
    assert {each.path for each in server.got} == {"/hooks/s3cret-path?x=1"}
    headers = server.got[0].headers
    assert (headers["Authorization"], headers["Content-Type"], headers["Idempotency-Key"]) == (
        "Bearer t0ken-of-the-hook",
        "application/json",
        "abc123",
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, "it answered 500 Internal Server Error"), (404, "it answered 404 Not Found"), (302, "redirects are not")],
)
def test_an_answer_that_is_no_success_is_an_error_that_hides_the_path(status: int, said: str) -> None:
    with hook_server(HookServer(status)) as server:
        error = error_of(server)
    assert (said in error, "s3cret" in error, len(server.got)) == (True, False, 1)


@pytest.mark.parametrize(
    ("status", "is_refused"),
    [(400, True), (403, True), (413, True), (401, False), (404, False), (429, False), (500, False)],
)
def test_a_status_that_may_be_about_the_message_counts_as_refused_for_good(status: int, *, is_refused: bool) -> None:
    with hook_server(HookServer(status)) as server, pytest.raises(InfrastructureError, match=str(status)) as failed:
        WebhookNotifier(Webhook(server.url())).send(LETTER)
    assert isinstance(failed.value, RefusedMessageError) is is_refused


def test_a_path_that_the_server_repeats_is_hidden() -> None:
    with hook_server(HookServer(404, reason="no such path: /hooks/s3cret-path")) as server:
        said = error_of(server)
    assert said.endswith("it answered 404 no such path: [redacted]")


def test_checking_reads_the_token_and_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    place = tmp_path / "token"
    with hook_server(HookServer()) as server:
        with pytest.raises(InfrastructureError, match="cannot be read"):
            WebhookNotifier(Webhook(server.url(), str(place))).check()
        place.write_text("t0ken\n")
        answers = f"http://127.0.0.1:{server.port} answers"
        assert WebhookNotifier(Webhook(server.url(), str(place))).check() == answers
        unit = WebhookNotifier(Webhook(server.url(), "hook-token")).check()
    assert (unit, server.got) == (f"{answers}; the token is a credential of the unit", [])


def test_a_server_that_closes_without_an_answer_is_an_error() -> None:
    with hook_server(HookServer(closes=True)) as server:
        assert "it closed the connection without an answer" in error_of(server)


@pytest.mark.parametrize("server", [HookServer(silent=True), HookServer(drips=True)])
def test_a_server_that_never_ends_its_answer_is_given_up(server: HookServer) -> None:
    with hook_server(server):
        assert "no answer within 0.5 s" in error_of(server, seconds=0.5)
        server.ended.set()


def test_no_proxy_of_the_environment_sees_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with hook_server(HookServer()) as server, hook_server(HookServer()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        WebhookNotifier(Webhook(server.url())).send(LETTER)
    assert (len(server.got), len(proxy.got)) == (1, 0)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_https_reaches_only_a_server_that_the_system_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = make_certificate_authority(tmp_path / "ca")
    with hook_server(HookServer(), server_context(authority)) as server:
        notifier = WebhookNotifier(Webhook(server.url("https")))
        with pytest.raises(InfrastructureError, match="CERTIFICATE_VERIFY_FAILED"):
            notifier.check()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        assert notifier.check() == f"https://127.0.0.1:{server.port} answers"
        assert server.got == []
        notifier.send(LETTER)
    assert len(server.got) == 1


@pytest.mark.parametrize("token", ["line one\nline two", "schlüssel"])
def test_a_token_that_no_header_can_have_is_an_error_that_hides_it(token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    with hook_server(HookServer()) as server:
        said = error_of(server, str(tmp_path / "token"))
    assert ("characters that no header can have" in said, token in said, server.got) == (True, False, [])


def test_an_empty_token_or_none_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with hook_server(HookServer()) as server:
        assert "is empty" in error_of(server, str(tmp_path / "empty"))
        assert "cannot be read" in error_of(server, str(tmp_path / "missing"))
