"""Waits that follow the engine's events: what ends them, and what is left when the events do not come."""

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import islice

import pytest

from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.event_stream import READER, EventStream
from reconciler.host.swarm.services.stack_state import is_of_stack
from tests.host.blocked_signals_of_threads import STOPPING, blocked_in
from tests.host.swarm.engine_stand_in import Answer, EngineRequest, Serve, gives, hangs_up, refuses

START = datetime(2026, 11, 29, tzinfo=UTC)
# In seconds. No test waits so long, unless it fails.
LONG = 60.0
concerns = partial(is_of_stack, stack="notes-1")


def of_container(action: str, stack: str = "notes-1") -> Json:
    return {"Type": "container", "Action": action, "Actor": {"Attributes": {"com.docker.stack.namespace": stack}}}


def of_service(name: str) -> Json:
    return {"Type": "service", "Action": "update", "Actor": {"Attributes": {"name": name}}}


class EventsAnswer:
    """Streams events in chunks, as the engine does, until a test ends it. `hung_up` is set when the client has gone."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.hung_up, self.end = chunks, threading.Event(), threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler, _: EngineRequest) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in self.chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.connection.settimeout(0.01)
        handler.close_connection = True
        while not self.end.is_set():
            try:
                if not handler.connection.recv(1):
                    self.hung_up.set()
                    return
            except TimeoutError:
                continue


def lines(*events: Json) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@pytest.mark.parametrize("event", [of_container("die"), of_container("start"), of_service("notes-1_app")])
def test_an_event_of_the_stack_ends_a_wait(serve: Serve, event: Json) -> None:
    engine = serve({"GET /events": EventsAnswer(lines(event))}).engine()
    with engine.follow(concerns, START, LONG) as events:
        assert waited_less_than_the_longest(events)
        assert events.is_live


def waited_less_than_the_longest(events: EventStream) -> bool:
    begun = time.monotonic()
    return events.wait(LONG) and time.monotonic() - begun < LONG


def test_events_of_others_end_no_wait(serve: Serve) -> None:
    others = (of_container("die", "notes-12"), of_service("notes-12_app"), of_service("other"), {"Type": "container"})
    engine = serve({"GET /events": EventsAnswer(lines(*others))}).engine()
    with engine.follow(concerns, START, LONG) as events:
        assert not events.wait(0.3)
        assert (events.is_live, events.ends) == (True, [])


def test_no_signal_that_the_main_thread_has_blocked_comes_through_the_thread_that_reads_events(serve: Serve) -> None:
    engine = serve({"GET /events": EventsAnswer()}).engine()
    with engine.follow(concerns, START, LONG):
        assert blocked_in(READER) == STOPPING


def test_an_event_that_comes_in_two_pieces_is_read_whole(serve: Serve) -> None:
    whole = lines(of_container("die"), of_container("oom"))
    engine = serve({"GET /events": EventsAnswer(whole[:40], whole[40:-3], whole[-3:])}).engine()
    with engine.follow(concerns, START, LONG) as events:
        while len(events.ends) < 2:
            assert events.wait(LONG)
        assert [event["Action"] for event in events.ends] == ["die", "oom"]


@pytest.mark.parametrize("answer", [hangs_up, refuses("no events today"), gives({}, 403)])
def test_without_a_stream_a_wait_sleeps_as_long_as_asked_and_raises_nothing(serve: Serve, answer: Answer) -> None:
    engine = serve({"GET /events": answer}).engine()
    with engine.follow(concerns, START, LONG) as events:
        begun = time.monotonic()
        assert (events.is_live, events.wait(0.2)) == (False, False)
        assert time.monotonic() - begun >= 0.2


def test_a_lost_stream_ends_the_present_wait_and_no_later_one(serve: Serve) -> None:
    answer = EventsAnswer()
    engine = serve({"GET /events": answer}).engine()
    with engine.follow(concerns, START, LONG) as events:
        answer.end.set()
        assert waited_less_than_the_longest(events)
        assert (events.is_live, events.wait(0.2)) == (False, False)


def test_a_line_that_is_no_json_ends_the_stream(serve: Serve) -> None:
    engine = serve({"GET /events": EventsAnswer(b"<html>\n" + lines(of_container("die")))}).engine()
    with engine.follow(concerns, START, LONG) as events:
        assert waited_less_than_the_longest(events)
        assert (events.is_live, events.ends) == (False, [])


def test_the_stream_is_hung_up_at_the_end_also_after_an_error(serve: Serve) -> None:
    answer = EventsAnswer(lines(of_container("create")))
    engine = serve({"GET /events": answer}).engine()
    with pytest.raises(KeyboardInterrupt), engine.follow(concerns, START, LONG):
        raise KeyboardInterrupt
    assert answer.hung_up.wait(LONG)
    assert READER not in {thread.name for thread in threading.enumerate()}


def test_the_engine_is_asked_for_what_changes_an_app_from_the_given_time_on(serve: Serve) -> None:
    stand_in = serve({"GET /events": hangs_up})
    with stand_in.engine().follow(concerns, START, LONG):
        pass
    (request,) = stand_in.requests
    filters = json.loads(request.params["filters"][0])
    assert request.params["since"] == [f"{START.timestamp():.6f}"]
    assert (filters["type"], {"die", "oom", "start", "update"} - {*filters["event"]}) == (
        ["container", "service"],
        set(),
    )
    assert not [action for action in filters["event"] if action.startswith("exec_")]


def test_pauses_grow_and_begin_again_after_an_event(serve: Serve) -> None:
    engine = serve({"GET /events": EventsAnswer(lines(of_container("die")))}).engine()
    with engine.follow(concerns, START, LONG) as events:
        pauses = events.pauses()
        quiet: Sequence[float] = [*islice(pauses, 4)]
        assert [*quiet] == sorted({*quiet})
        assert events.wait(LONG)
        assert next(pauses) == quiet[0]
