"""Messages that a real server refuses, or fails to take: which others it gets, and what is dropped."""

from datetime import timedelta

import pytest

from state.notification_file import read_notifications
from tests.told_world import RED, ToldWorld


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


def test_a_server_that_chokes_on_one_message_gets_the_others_and_the_one_is_dropped_after_days(told: ToldWorld) -> None:
    told.hook.statuses = {'"recipe": "notes"': 500}
    told.world.tag("notes", "1.1.0", RED)
    (note,) = told.run()
    assert note.startswith("a message was not sent by webhook: ")
    assert note.endswith("it answered 500 Internal Server Error; the next pass sends it again, or: reconcile notify")
    told.world.tag("wiki", "1.1.0", RED)
    assert told.run() == (note,)
    assert told.posted() == [["problem notes"], ["problem notes"], ["problem wiki"]]
    told.made_earlier(timedelta(days=5))
    assert told.run() == (note,)  # nothing else was sent, so the server may be to blame
    assert (told.posted(), told.waiting) == ([["problem notes"]], [("webhook",)])

    told.world.tag("wiki", "1.2.0")
    (lost,) = told.run()
    assert lost.startswith("a message was dropped, because webhook did not take it for 5 days and took a later one: ")
    assert lost.endswith("Internal Server Error; it was: canon test: problem: notes 1.1.0: red")
    assert (told.posted(), told.waiting) == ([["problem notes"], ["recovery wiki"]], [])
    assert (told.run(), told.posted()) == ((), [])
    (dropped,) = read_notifications(told.world.state.notifications).dropped
    assert (dropped.target, dropped.subject) == ("webhook", "canon test: problem: notes 1.1.0: red")
    assert "it answered 500" in dropped.why


def test_a_target_that_fails_for_days_whatever_it_gets_loses_nothing_and_gets_all_in_order(told: ToldWorld) -> None:
    told.hook.status = 503
    for name in ("notes", "wiki"):
        told.world.tag(name, "1.1.0", RED)
        told.run()
    told.made_earlier(timedelta(days=50))
    (note,) = told.run()
    assert "it answered 503" in note
    told.posted()
    told.hook.status = 204
    assert (told.run(), told.posted()) == ((), [["problem notes"], ["problem wiki"]])
