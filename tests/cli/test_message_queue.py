"""How much of a pass a target may take that does not answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, field

from reconciler.cli.message_queue import MessageQueue
from reconciler.cli.message_record import open_record
from reconciler.core.notifications import make_message
from reconciler.errors import InfrastructureError
from reconciler.ports.notifier import Letter
from state.notification_file import keep_notifications
from state.notifications import Notifications, UnsentMessage

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


@pytest.mark.parametrize(
    ("seconds", "fails", "tried", "sent"),
    [
        (30.0, lambda _: True, 2, 0),
        (0.1, lambda _: True, 6, 0),
        (30.0, lambda nth: nth == 1, 6, 5),
        (100.0, lambda nth: nth == 3, 3, 2),
    ],
)
def test_a_target_that_does_not_answer_holds_up_the_pass_for_a_minute_and_one_message_holds_up_no_other(
    seconds: float, fails: Callable[[int], bool], tried: int, sent: int, tmp_path: Path
) -> None:
    waiting = [make_message([], NOW - timedelta(hours=hours)) for hours in range(6, 0, -1)]
    keep_notifications(tmp_path / "n", Notifications(unsent=tuple(UnsentMessage(each, ("x",)) for each in waiting)))
    target, record = SlowTarget(fails, seconds), open_record(tmp_path / "n")
    queue = MessageQueue("ci", "x", target, lambda: target.time)
    queue.send(record)
    assert target.tried == [each.id for each in waiting[:tried]]
    assert (queue.count, queue.failure, queue.remarks) == (sent, "no answer", [])
    assert len(open_record(tmp_path / "n").known.unsent) == 6 - sent
