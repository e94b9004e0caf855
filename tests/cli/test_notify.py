"""Messages of real passes, by mail and webhook to real servers: the first failure, a reminder, the recovery."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, evolve

from state.notification_file import read_notifications
from tests.cli.one_recipe_fleet import SECOND, THIRD, OneRecipeFleet
from tests.expected_documents import format_1_schema, schema_errors
from tests.message_servers import HookServer, MailServer, hook_server, mail_server
from tests.procfile_apps import wait_for

FAILING = "import sys\nsys.exit('broken on purpose')\n"


@define
class Notified:
    """`jot` at its first release, in a fleet that sends mail and calls a webhook."""

    jot: OneRecipeFleet
    mail: MailServer
    hook: HookServer

    def declare(self, more: str = "", fleet: str = "") -> None:
        """Write the fleet's file, with `more` keys in [notify] and `fleet` in [fleet]."""
        file = self.jot.fleet / "fleet.toml"
        text = file.read_text().split("[notify]")[0].replace("[fleet]\n", f"[fleet]\n{fleet}", 1)
        token = self.jot.folder / "token"
        token.write_text("t0ken-of-the-hook\n")
        file.write_text(
            f'{text}[notify]\n{more}\n[notify.mail]\nserver = "{self.mail.address}"\nto = ["ops@example.org"]\n'
            f'from = "canon@example.org"\nencryption = "none"\n'
            f'[notify.webhook]\nurl = "{self.hook.url()}"\ntoken = "{token}"\n'
        )

    def told(self) -> list[list[tuple[str, str | None, str]]]:
        """Return event, recipe and kind of each item that the webhook got, by message."""
        return [[(each["event"], each["recipe"], each["kind"]) for each in body["items"]] for body in self.bodies()]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(posted.body) for posted in self.hook.got]

    def notes(self, code: int) -> list[str]:
        """Run a pass, and return the notes of its report."""
        done = self.jot.json()
        assert done.code == code, done
        notes: list[str] = done.document["notes"]
        return notes

    @property
    def waiting(self) -> int:
        return len(read_notifications(self.jot.state / "notifications.json").unsent)


@pytest.fixture
def notified(settled: OneRecipeFleet) -> Iterator[Notified]:
    with mail_server(MailServer()) as mail, hook_server(HookServer()) as hook:
        made = Notified(settled, mail, hook)
        made.declare()
        yield made


def test_a_red_is_told_once_and_its_recovery_once_with_the_same_words_to_both(notified: Notified) -> None:
    notified.jot.release(SECOND, app_py=FAILING)
    assert notified.notes(4) == []
    assert notified.notes(4) == []  # held back as red: nothing new
    assert notified.told() == [[("problem", "jot", "red")]]
    (body,) = notified.bodies()
    schema = format_1_schema("message")
    assert list(schema_errors(body, schema, schema)) == []
    assert (body["fleet"], body["items"][0]["version"]) == ("tiny", SECOND)
    assert "web ended with exit code 1" in body["text"]

    notified.jot.release(THIRD)
    assert notified.notes(0) == []
    assert notified.told()[1:] == [[("recovery", "jot", "red")]]
    assert f"the canonical is {THIRD}" in notified.bodies()[1]["items"][0]["now"]
    subjects = [f"canon tiny: problem: jot {SECOND}: red", f"canon tiny: recovery: jot {SECOND}: red"]
    assert notified.mail.subjects() == subjects
    assert [body["subject"] for body in notified.bodies()] == subjects
    assert [mail.get_content().replace("\r\n", "\n") for mail in notified.mail.mails] == [
        body["text"] for body in notified.bodies()
    ]


def test_what_one_target_refuses_is_a_note_changes_no_verdict_and_is_sent_again_as_it_was(notified: Notified) -> None:
    notified.mail.refuses["DATA"] = "451 try again later"
    notified.jot.release(SECOND, app_py=FAILING)
    (note,) = notified.notes(4)
    assert note.startswith("a message was not sent by mail: 127.0.0.1:")
    assert "try again later" in note
    doctor = notified.jot.json("doctor").document["checks"]
    (check,) = [check for check in doctor if check["name"] == "notify"]
    assert (check["result"], check["hint"]) == ("warning", "send them: reconcile notify")

    notified.mail.refuses.clear()
    assert notified.notes(4) == []
    assert (len(notified.mail.mails), len(notified.hook.got), notified.waiting) == (1, 1, 0)
    assert notified.mail.mails[0]["Message-ID"] == f"<{notified.bodies()[0]['id']}@example.org>"
    assert "t0ken" not in (notified.jot.state / "notifications.json").read_text()


def test_reminders_and_a_stale_timer_are_sent_by_notify_without_a_pass(notified: Notified) -> None:
    notified.jot.release(SECOND, app_py=FAILING)
    notified.notes(4)
    assert notified.jot.run("notify").out == "nothing to send\n"
    notified.declare('remind = "1s"', 'stale = "1s"\n')
    wait_for(lambda: "stale" in notified.jot.run("status").out, 60)
    done = notified.jot.run("notify")
    assert (done.code, done.out) == (0, "1 message sent by mail; 1 message sent by webhook\n")
    assert notified.told()[-1] == [("problem", None, "stale"), ("reminder", "jot", "red")]
    notified.declare(fleet='stale = "9d"\n')
    text = (notified.jot.fleet / "fleet.toml").read_text()
    (notified.jot.fleet / "fleet.toml").write_text(text.replace('stale = "1s"\n', ""))
    notified.notes(4)
    assert notified.told()[-1] == [("recovery", None, "stale")]


def test_a_test_message_reaches_every_target_and_is_not_recorded(notified: Notified) -> None:
    assert notified.jot.run("notify", "--test").code == 0
    assert (notified.told(), notified.mail.subjects()) == ([[("test", None, "test")]], ["canon tiny: test: test"])
    notified.hook.status = 503
    done = notified.jot.json("notify", "--test")
    assert done.code == 1
    assert "1 message sent by mail; not sent by webhook: http://127.0.0.1:" in done.document["line"]
    assert "s3cret-path" not in done.out
    assert not (notified.jot.state / "notifications.json").exists()


def test_a_pass_that_fails_as_a_whole_is_told_and_so_is_its_recovery(notified: Notified) -> None:
    database = notified.jot.state / "canon.db"
    kept = database.read_bytes()
    database.write_bytes(b"no database" * 100)
    assert notified.jot.run("-q").code not in {0, 4}
    assert notified.told() == [[("problem", None, "pass-failed")]]
    database.write_bytes(kept)
    assert notified.notes(0) == []
    assert notified.told()[1:] == [[("recovery", None, "pass-failed")]]


def test_a_pass_that_fails_before_it_looks_at_anything_is_told_too(notified: Notified) -> None:
    programs = notified.jot.folder / "bin"
    programs.mkdir()
    without_git = evolve(notified.jot, variables={**notified.jot.variables, "PATH": str(programs)})
    done = without_git.run("-q")
    assert (done.code, "git: not found in PATH" in done.err) == (1, True)
    assert notified.told() == [[("problem", None, "pass-failed")]]


def test_a_pass_that_is_killed_while_it_sends_loses_nothing(notified: Notified) -> None:
    notified.hook.silent = True
    notified.jot.release(SECOND, app_py=FAILING)
    running = notified.jot.start("-q")
    wait_for(lambda: bool(notified.hook.got) or running.poll() is not None, 120)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    notified.hook.silent = False
    assert notified.notes(4) == []
    first, again = notified.bodies()
    assert first == again
    assert len(notified.mail.mails) == 1


def test_ctrl_c_while_a_message_is_sent_ends_the_sending_and_still_prints_the_report(notified: Notified) -> None:
    notified.hook.silent = True
    notified.jot.release(SECOND, app_py=FAILING)
    running = notified.jot.start("-q")
    wait_for(lambda: bool(notified.hook.got) or running.poll() is not None, 120)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate()
    assert running.returncode == 130
    assert "a message was not sent by webhook: interrupted" in out
    assert "1 needs you" in out
    assert notified.waiting == 1


def test_what_was_told_stays_unknown_and_is_named_if_its_file_is_damaged(notified: Notified) -> None:
    (notified.jot.state / "notifications.json").write_text("{}x")
    (note,) = notified.notes(0)
    assert "messages may come twice: notifications.json is not as Canon wrote it; move it away" in note
    assert notified.jot.run("doctor").code == 1


def test_without_targets_nothing_is_recorded_and_notify_says_what_to_declare(settled: OneRecipeFleet) -> None:
    settled.release(SECOND, app_py=FAILING)
    assert settled.run("-q").code == 4
    assert not (settled.state / "notifications.json").exists()
    done = settled.run("notify")
    assert (done.code, "declare [notify.mail] or [notify.webhook] in fleet.toml" in done.err) == (64, True)
