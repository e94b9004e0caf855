"""Messages of passes in a world in memory, to real servers: those that refuse, and a record that fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, evolve

from desired.model import WayName, Ways
from desired.notify import Mail, Notify, Webhook
from reconciler.cli.command_context import CommandContext
from reconciler.cli.notifications import tell_failed_pass, tell_pass
from reconciler.cli.options import Options
from reconciler.errors import InfrastructureError
from state.notification_file import read_notifications
from tests.message_servers import HookServer, MailServer, hook_server, mail_server
from tests.ways_world import WaysWorld
from tests.world import Behaviour, World

RED = Behaviour(breaks_lived=True)


@define
class ToldWorld:
    """`notes` and `wiki` at their first releases, in a fleet that sends mail to two people and calls a webhook."""

    world: World
    mail: MailServer
    hook: HookServer
    stale: timedelta | None = None

    def context(self, *names: str) -> CommandContext:
        notify = Notify(
            mail=Mail(self.mail.address, ("a@example.org", "b@example.org"), "canon@example.org", encryption="none"),
            webhook=Webhook(self.hook.url()),
        )
        fleet = evolve(self.world.fleet, notify=notify, stale=self.stale)
        return CommandContext(Options(), fleet, self.world.state, names or tuple(fleet.recipes))

    def run(self, *names: str) -> tuple[str, ...]:
        """Run a pass and send its messages. Return the notes that the sending added to its report."""
        done = self.world.run(*names)
        return tell_pass(self.context(*names), done).report.notes[len(done.report.notes) :]

    def fail(self, *names: str) -> InfrastructureError:
        """Tell that a pass ended with an error. Return the error."""
        failed = InfrastructureError("the disk is gone")
        tell_failed_pass(self.context(*names), failed)
        return failed

    def posted(self) -> list[list[str]]:
        """Return "EVENT NAME" of each item that was posted to the webhook, by message, and forget them."""
        bodies = [json.loads(each.body) for each in self.hook.got]
        self.hook.got.clear()
        return [[f"{item['event']} {item['recipe'] or item['kind']}" for item in body["items"]] for body in bodies]

    def mailed(self) -> list[str]:
        """Return the subjects of the mails that arrived, and forget them."""
        subjects = [each.removeprefix("canon test: ") for each in self.mail.subjects()]
        self.mail.mails.clear()
        return subjects

    @property
    def waiting(self) -> list[tuple[str, ...]]:
        """Return the targets of each message that waits."""
        return [each.targets for each in read_notifications(self.world.state.notifications).unsent]

    @property
    def blocked(self) -> Path:
        """Return where the next record is written first. A folder there is as good as a full disk."""
        return self.world.state.root / "notifications.json.new"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[ToldWorld]:
    with mail_server(MailServer()) as mail, hook_server(HookServer()) as hook:
        yield ToldWorld(World.promoted(tmp_path, "notes", "wiki"), mail, hook)


def test_a_recipient_that_is_refused_keeps_nobody_from_later_mail_and_nobody_gets_mail_twice(told: ToldWorld) -> None:
    told.mail.refuses["b@example.org"] = "550 no such user"
    told.world.tag("notes", "1.1.0", RED)
    note = "a message was sent by mail, but not accepted for b@example.org (550 no such user)"
    assert told.run() == (note,)
    assert told.run() == ()
    told.world.tag("notes", "1.2.0")
    assert told.run() == (note,)
    assert told.mailed() == ["problem: notes 1.1.0: red", "recovery: notes 1.1.0: red"]
    assert told.waiting == []


@pytest.mark.parametrize("target", ["mail", "webhook"])
def test_a_message_that_is_refused_for_good_is_dropped_once_its_target_took_a_later_one(
    target: str, told: ToldWorld
) -> None:
    told.mail.refuses |= {"canon test: problem: notes 1.1.0: red": "552 too large"} if target == "mail" else {}
    told.hook.statuses |= {'"recipe": "notes"': 413} if target == "webhook" else {}
    told.world.tag("notes", "1.1.0", RED)
    (note,) = told.run()
    assert note.startswith(f"a message was not sent by {target}: ")
    assert told.waiting == [(target,)]

    told.world.tag("wiki", "1.1.0", RED)
    (note,) = told.run()
    assert note.startswith(f"a message was dropped, because {target} refused it and took a later one: ")
    assert note.endswith("it was: canon test: problem: notes 1.1.0: red")
    assert told.waiting == []
    assert told.run() == ()
    refusals = 2 if target == "webhook" else 0
    assert sorted(told.posted()) == [["problem notes"]] * (refusals or 1) + [["problem wiki"]]
    assert told.mailed()[-1] == "problem: wiki 1.1.0: red"


def test_a_target_that_refuses_whatever_it_gets_loses_nothing(told: ToldWorld) -> None:
    told.hook.status = 403
    for name in ("notes", "wiki"):
        told.world.tag(name, "1.1.0", RED)
        (note,) = told.run()
        assert "it answered 403" in note
    assert told.waiting == [("webhook",), ("webhook",)]
    assert told.posted() == [["problem notes"], ["problem notes"], ["problem wiki"]]
    told.hook.status = 204
    assert told.run() == ()
    assert told.posted() == [["problem notes"], ["problem wiki"]]


def test_a_failure_that_may_pass_drops_nothing_and_keeps_the_order(told: ToldWorld) -> None:
    told.hook.statuses = {'"recipe": "notes"': 503}
    for name in ("notes", "wiki"):
        told.world.tag(name, "1.1.0", RED)
        (note,) = told.run()
        assert "it answered 503" in note
    assert told.posted() == [["problem notes"], ["problem notes"]]
    assert told.waiting == [("webhook",), ("webhook",)]


def test_a_record_that_cannot_be_written_keeps_no_message_back(told: ToldWorld) -> None:
    told.world.tag("notes", "1.1.0", RED)
    told.blocked.mkdir()
    (note,) = told.run()
    assert note.startswith("messages may come twice: cannot write notifications.json: ")
    told.blocked.rmdir()
    assert told.run() == ()
    told.blocked.mkdir()
    told.world.tag("notes", "1.2.0")
    assert len(told.run()) == 1
    told.blocked.rmdir()
    assert told.run() == ()
    assert told.run() == ()
    assert told.posted() == [["problem notes"]] * 2 + [["recovery notes"]] * 2
    assert len(told.mailed()) == 4


@pytest.mark.parametrize("damaged", ["{}x", '{"a_key_of_a_newer_canon":1,"problems":{},"unsent":[]}', "\0"])
def test_a_record_that_cannot_be_read_stays_as_it_is_and_keeps_no_message_back(damaged: str, told: ToldWorld) -> None:
    told.world.state.notifications.write_text(damaged)
    (note,) = told.run()
    assert note.startswith("messages may come twice: notifications.json is not as Canon wrote it; move it away")
    assert (told.posted(), told.mailed()) == ([], [])
    told.world.tag("notes", "1.1.0", RED)
    assert told.run() == (note,)
    assert (told.posted(), told.mailed()) == ([["problem notes"]], ["problem: notes 1.1.0: red"])
    assert note in told.fail().__notes__
    assert told.posted() == [["problem pass-failed"]]
    assert told.world.state.notifications.read_text() == damaged


def test_only_passes_over_the_whole_fleet_tell_of_passes_as_a_whole(told: ToldWorld) -> None:
    told.world.declare("archive", enrolled=False, exception="it is being replaced")
    told.run("archive")
    told.fail("wiki")
    assert told.posted() == []
    told.fail()
    told.run("wiki")
    assert told.posted() == [["problem pass-failed"]]
    told.run()
    assert told.posted() == [["recovery pass-failed"]]


def test_a_dangerous_way_is_told_until_a_release_without_it_is_canonical(told: ToldWorld, tmp_path: Path) -> None:
    asked = WaysWorld.upgraded(tmp_path / "ways")
    told.world, asked.older = asked.world, {"damages"}
    told.world.declare("notes", ways=Ways((WayName.BACK,)))
    told.run()
    told.run()
    (body,) = [json.loads(each.body) for each in told.hook.got]
    (item,) = body["items"]
    assert (item["recipe"], item["version"], item["kind"]) == ("notes", "1.1.0", "danger")
    assert item["reason"].startswith("back: no to 1.0.0: DANGER: it damages data that was there before")
    asked.older = set()
    told.world.tag("notes", "1.2.0")
    told.run()
    assert told.posted()[1:] == [["recovery notes"]]


def test_a_limit_that_is_no_longer_declared_ends_the_problem_without_naming_a_pass_that_did_not_end(
    told: ToldWorld,
) -> None:
    told.world.now -= timedelta(days=400)
    told.run()
    told.stale = timedelta(days=1)
    told.fail("wiki")
    assert told.posted() == [["problem stale"]]
    told.stale = None
    told.fail("wiki")
    (item,) = json.loads(told.hook.got[0].body)["items"]
    assert (item["event"], item["kind"]) == ("recovery", "stale")
    assert item["now"].endswith("; [fleet] stale is not declared")


def test_a_ledger_that_cannot_be_read_keeps_no_message_back(told: ToldWorld) -> None:
    told.world.state.database.write_bytes(b"no database" * 100)
    notes = told.fail().__notes__
    assert told.posted() == [["problem pass-failed"]]
    assert [note.split(":")[0] for note in notes] == ["messages may lack what the ledger has"]
