"""Which messages are due: a problem, a reminder, a recovery, never the same twice, and none is lost by a crash."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.notifications import (
    EventWord,
    Seen,
    for_targets,
    is_given_up,
    make_message,
    waiting_for,
    with_due_message,
    with_passed_over,
    with_sent,
)
from state.notifications import DroppedMessage, FleetProblem, Item, Message, Notifications, UnsentMessage

START = datetime(2026, 11, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
TARGETS = ("mail", "webhook")
SUBJECTS = ("notes", "wiki", "fleet:pass")

# What a look finds of each subject: None if it was not looked at, "" if nothing is wrong, else the kind of problem.
LOOKS = st.dictionaries(st.sampled_from(SUBJECTS), st.sampled_from([None, "", "red", "damaged"]))
DAYS = st.integers(0, 9)


def seen_of(found: dict[str, str | None]) -> Seen:
    problems = {name: FleetProblem(name, kind, "1.2.0", "why") for name, kind in found.items() if kind}
    return Seen(problems, {name: "in-sync" for name, kind in found.items() if kind == ""})


def messages_for(known: Notifications, target: str) -> tuple[Message, ...]:
    return tuple(each.message for each in waiting_for(known, target))


def items_told(history: Sequence[tuple[int, dict[str, str | None]]]) -> list[tuple[datetime, Item]]:
    """Return everything that is told in a series of looks, each some days after the one before."""
    known, now, told = Notifications(), START, list[tuple[datetime, Item]]()
    for days, found in history:
        now += timedelta(days=days)
        known = with_due_message(known, seen_of(found), now, WEEK, ["mail"])
        for message in messages_for(known, "mail"):
            told += [(now, item) for item in message.items]
            known = with_sent(known, message.id, "mail")
    return told


def expected_events(history: Sequence[tuple[int, dict[str, str | None]]], name: str) -> list[tuple[str, str]]:
    """Return what has to be told of one subject: a model of one problem at a time."""
    there, day, told_on, events = "", 0, 0, list[tuple[str, str]]()
    for days, found in history:
        day += days
        kind = found.get(name)
        if kind and kind != there:
            there, told_on = kind, day
            events.append(("problem", kind))
        elif kind == "" and there:
            events.append(("recovery", there))
            there = ""
        elif there and day >= told_on + 7:
            told_on = day
            events.append(("reminder", there))
    return events


@given(st.lists(st.tuples(DAYS, LOOKS), max_size=12))
def test_each_subject_is_told_its_problem_its_reminders_and_its_recovery_once(
    history: list[tuple[int, dict[str, str | None]]],
) -> None:
    told = items_told(history)
    for name in SUBJECTS:
        said = [(item.event, item.problem.kind) for _, item in told if item.problem.subject == name]
        assert said == expected_events(history, name)


@define
class Receiver:
    """A target that may fail, beside a sender that may die between sending and recording."""

    got: list[Message] = field(factory=list)

    def take(self, known: Notifications, *, fails: bool, dies: bool) -> Notifications:
        """Get the oldest message, and return what the sender recorded."""
        message = next(iter(messages_for(known, "mail")), None)
        if message is None or fails:
            return known
        self.got.append(message)
        return known if dies else with_sent(known, message.id, "mail")


@given(st.lists(st.tuples(DAYS, LOOKS, st.booleans(), st.booleans()), max_size=12))
def test_failures_and_crashes_may_send_a_message_again_but_lose_none_and_keep_their_order(
    history: list[tuple[int, dict[str, str | None], bool, bool]],
) -> None:
    receiver, known, now = Receiver(), Notifications(), START
    for days, found, fails, dies in history:
        now += timedelta(days=days)
        known = with_due_message(known, seen_of(found), now, WEEK, TARGETS)
        known = receiver.take(known, fails=fails, dies=dies)
    while waiting_for(known, "mail"):
        known = receiver.take(known, fails=False, dies=False)
    got = list({message.id: message for message in receiver.got}.values())
    undisturbed = items_told([(days, found) for days, found, _, _ in history])
    assert [item for message in got for item in message.items] == [item for _, item in undisturbed]
    # The other target got none of them yet.
    assert [each.message for each in known.unsent] == got


def test_a_message_that_waits_is_dropped_with_its_target_alone() -> None:
    due = with_due_message(Notifications(), seen_of({"notes": "red"}), START, WEEK, TARGETS)
    assert [each.targets for each in for_targets(due.unsent, ["webhook", "apprise"])] == [("webhook",)]
    assert for_targets(due.unsent, []) == ()
    later = with_due_message(due, Seen(), START, WEEK, ["mail"])
    assert [each.targets for each in later.unsent] == [("mail",)]


def dropped(message: Message, target: str = "mail") -> DroppedMessage:
    return DroppedMessage(message.id, target, START, "a subject", "too large")


def test_a_message_that_a_target_did_not_take_is_dropped_for_it_alone_when_it_takes_another_one() -> None:
    known = with_due_message(Notifications(), seen_of({"notes": "red"}), START, WEEK, TARGETS)
    known = with_due_message(known, seen_of({"wiki": "red"}), START, WEEK, TARGETS)
    known = with_due_message(known, seen_of({"fleet:pass": "hollow"}), START, WEEK, TARGETS)
    first, second, third = (each.message for each in known.unsent)
    after = with_sent(known, second.id, "mail", [dropped(first)])
    assert (messages_for(after, "mail"), messages_for(after, "webhook")) == ((third,), (first, second, third))
    later = with_due_message(after, seen_of({"notes": "damaged"}), START, WEEK, TARGETS)
    assert (after.dropped, later.dropped) == ((dropped(first),), (dropped(first),))


@given(st.integers(0, 30))
def test_the_record_keeps_the_last_twenty_messages_that_were_dropped(count: int) -> None:
    known, lost = Notifications(), [dropped(make_message([], START), f"target {number}") for number in range(count)]
    for each in lost:
        known = with_sent(known, "another", "mail", [each])
    assert known.dropped == tuple(lost[-20:])


@given(
    later=st.timedeltas(timedelta(-9), timedelta(9)),
    age=st.timedeltas(timedelta(0), timedelta(99)),
    refused=st.booleans(),
)
def test_a_message_is_given_up_five_days_after_its_target_first_took_a_later_one_or_at_once_if_it_is_refused(
    later: timedelta, age: timedelta, *, refused: bool
) -> None:
    first = START + age
    unsent = UnsentMessage(make_message([], START), ("mail",))
    assert is_given_up(unsent, "mail", first, is_refused=refused) == refused
    known = with_passed_over(Notifications(unsent=(unsent,)), {unsent.message.id}, "mail", first)
    (passed_over,) = with_passed_over(known, {unsent.message.id}, "mail", first + timedelta(days=1)).unsent
    assert passed_over.passed_over == {"mail": first}
    given_up = is_given_up(passed_over, "mail", first + later, is_refused=refused)
    assert given_up == (refused or later >= timedelta(days=5))
    assert is_given_up(passed_over, "webhook", first + later, is_refused=refused) == refused
    assert with_passed_over(known, {"another"}, "mail", first) == known


def test_nothing_new_leaves_the_record_as_it_is() -> None:
    due = with_due_message(Notifications(), seen_of({"notes": "red"}), START, WEEK, TARGETS)
    more = Seen({"notes": FleetProblem("notes", "red", "1.2.0", "failed after 2.0 s")})
    assert with_due_message(due, more, START + timedelta(days=6), WEEK, TARGETS) == due
    reminded = with_due_message(due, more, START + WEEK, WEEK, TARGETS)
    assert reminded.unsent[-1].message.items[0].problem.reason == "failed after 2.0 s"
    assert reminded.problems["notes"].since == START


def test_another_release_of_the_same_recipe_is_another_problem() -> None:
    due = with_due_message(Notifications(), seen_of({"notes": "red"}), START, WEEK, TARGETS)
    newer = Seen({"notes": FleetProblem("notes", "red", "1.3.0", "why")})
    due = with_due_message(due, newer, START, WEEK, TARGETS)
    assert [item.event for each in due.unsent for item in each.message.items] == ["problem", "problem"]


def test_a_clock_that_was_set_back_reminds_instead_of_being_silent_for_years() -> None:
    due = with_due_message(Notifications(), seen_of({"notes": "red"}), START + 100 * WEEK, WEEK, TARGETS)
    due = with_due_message(due, seen_of({"notes": "red"}), START, WEEK, TARGETS)
    assert [item.event for item in due.unsent[-1].message.items] == ["reminder"]
    assert with_due_message(due, seen_of({"notes": "red"}), START, WEEK, TARGETS) == due


def test_the_id_of_a_message_depends_on_what_is_in_it_and_when() -> None:
    item = Item(EventWord.PROBLEM, FleetProblem("notes", "red", "1.2.0", "why"), START)
    ids = {make_message([item], START).id, make_message([item, item], START).id, make_message([item], START + WEEK).id}
    assert len(ids) == 3


def test_a_problem_of_passes_belongs_to_no_recipe() -> None:
    named = [FleetProblem(subject, "x", "", "").recipe for subject in SUBJECTS]
    assert named == ["notes", "wiki", ""]
