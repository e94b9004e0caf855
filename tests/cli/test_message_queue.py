"""How much of a pass a target may take that does not answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, field

from reconciler.cli.message_queue import MessageQueue
from reconciler.cli.message_record import open_record
from reconciler.core.notifications import EventWord, make_message
from reconciler.errors import InfrastructureError
from reconciler.ports.notifier import Letter
from state.notification_file import keep_notifications
from state.notifications import FleetProblem, Item, Message, Notifications, UnsentMessage

NOW = datetime.now(UTC)


@define
class SlowTarget:
    """A target that fails for some messages, each after some seconds of its own clock."""

    fails: Callable[[int], bool]
    seconds: float
    time: float = 0.0
    tried: list[str] = field(factory=list)

    def send(self, letter: Letter) -> str:
        self.tried.append(letter.id)
        if self.fails(len(self.tried)):
            self.time += self.seconds
            raise InfrastructureError("no answer")
        return ""

    def check(self) -> str:
        return "answers"


def sent_to(target: SlowTarget, file: Path, *waiting: Message) -> MessageQueue:
    """Send these messages to the target. Return the queue afterwards; the record is in `file`."""
    keep_notifications(file, Notifications(unsent=tuple(UnsentMessage(each, ("x",)) for each in waiting)))
    queue = MessageQueue("ci", "x", target, lambda: target.time)
    queue.send(open_record(file))
    return queue


def message(hours: int, *names: str) -> Message:
    """Return a message that was made so many hours ago, about recipes with these names."""
    problems = [FleetProblem(name, "red", "", "") for name in names]
    return make_message([Item(EventWord.PROBLEM, each, NOW) for each in problems], NOW - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("seconds", "fails", "tried", "sent"),
    [
        (30.0, lambda _: True, [0, 1, 5], 0),
        (0.1, lambda _: True, [0, 1, 2, 3, 4, 5], 0),
        (30.0, lambda nth: nth == 1, [0, 1, 2, 3, 4, 5], 5),
        (100.0, lambda nth: nth == 3, [0, 1, 2, 5], 3),
    ],
)
def test_a_target_that_does_not_answer_for_a_minute_gets_only_the_newest_message_beside(
    seconds: float, fails: Callable[[int], bool], tried: list[int], sent: int, tmp_path: Path
) -> None:
    waiting = [message(hours, f"app{hours}") for hours in range(6, 0, -1)]
    target = SlowTarget(fails, seconds)
    queue = sent_to(target, tmp_path / "n", *waiting)
    assert target.tried == [waiting[number].id for number in tried]
    assert (queue.count, queue.failure, queue.remarks) == (sent, "no answer", [])
    assert len(open_record(tmp_path / "n").known.unsent) == 6 - sent


def test_a_later_message_on_the_same_subject_waits_for_one_that_failed_and_others_do_not(tmp_path: Path) -> None:
    waiting = [message(4, "notes", "wiki"), message(3, "wiki", "forum"), message(2, "forum"), message(1, "chat")]
    target = SlowTarget(lambda nth: nth == 1, 1.0)
    assert sent_to(target, tmp_path / "n", *waiting).count == 1
    assert target.tried == [waiting[0].id, waiting[3].id]
    known = open_record(tmp_path / "n").known
    assert [each.message for each in known.unsent] == waiting[:3]
    assert [list(each.passed_over) for each in known.unsent] == [["x"], [], []]


def test_the_newest_message_is_not_tried_out_of_turn_if_an_older_one_on_its_subject_waits(tmp_path: Path) -> None:
    waiting = [message(5, "a"), message(4, "b"), message(3, "c"), message(2, "d"), message(1, "c")]
    target = SlowTarget(lambda _: True, 30.0)
    sent_to(target, tmp_path / "n", *waiting)
    assert target.tried == [waiting[0].id, waiting[1].id, waiting[3].id]


def test_a_message_is_not_given_up_after_its_first_try_however_old_it_is(tmp_path: Path) -> None:
    waiting = [message(24 * 30, "notes"), message(1, "wiki")]
    queue = sent_to(SlowTarget(lambda nth: nth == 1, 1.0), tmp_path / "n", *waiting)
    assert (queue.count, queue.remarks) == (1, [])
    assert [each.message for each in open_record(tmp_path / "n").known.unsent] == waiting[:1]


def test_a_message_that_waited_behind_a_dropped_one_is_named_as_not_sent(tmp_path: Path) -> None:
    file, target = tmp_path / "n", SlowTarget(lambda nth: nth == 1, 1.0)
    dropped, behind, other = message(24 * 30, "notes"), message(2, "notes"), message(1, "wiki")
    tried_before = UnsentMessage(dropped, ("x",), {"x": NOW - timedelta(days=29)})
    rest = [UnsentMessage(each, ("x",)) for each in (behind, other)]
    keep_notifications(file, Notifications(unsent=(tried_before, *rest)))
    queue = MessageQueue("ci", "x", target, lambda: target.time)
    queue.send(open_record(file))
    assert [each.message for each in open_record(file).known.unsent] == [behind]
    assert (queue.failure, len(queue.remarks)) == ("an earlier message on the same problem was only now dropped", 1)
