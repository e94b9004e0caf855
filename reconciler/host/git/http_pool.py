"""Posts one body to many URLs at once, in one thread, over connections that are kept open."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any

from attrs import define, field, frozen

from reconciler.host.git.http_request import HttpRequest
from reconciler.host.git.ls_refs import ANSWER_TYPE, CONTENT_TYPE, FLUSH

# A forge starts a process for each request. Over HTTP/2 all requests share one connection, and its server sets a limit.
AT_ONCE_PER_HOST = 8
AT_ONCE_PER_HTTP2_HOST = 32
_AT_ONCE = 128
# After so many answers in a row without refs, the host is no longer asked by HTTP.
_USELESS_ANSWERS = 8

_HEADERS = [f"Content-Type: {CONTENT_TYPE}", "Git-Protocol: version=2", "Expect:"]
# Forges, and the proxies in front of them, recognise git by the start of this text.
_USER_AGENT = "git/2 (Canon)"
_LONGEST_WAIT = 1.0
_OK, _TOO_MANY_REQUESTS, _UNAVAILABLE = 200, 429, 503


@frozen
class HttpAnswer:
    """What an upstream answered over HTTP.

    * `status`: the HTTP status; 0 if no complete answer came.
    * `content_type`, `body`: the media type of the answer, and its content.
    * `retry_after`: how many seconds the server asks us to wait before the next request; 0 for none.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    retry_after: float = 0.0

    @property
    def is_listing(self) -> bool:
        """Return whether the answer looks like a complete list of refs, by its status, type and last bytes."""
        return self.status == _OK and self.content_type == ANSWER_TYPE and self.body.endswith(FLUSH)

    @property
    def must_wait(self) -> bool:
        """Return whether the server refuses the request for now, and says after how many seconds to try again."""
        return self.status in {_TOO_MANY_REQUESTS, _UNAVAILABLE} and self.retry_after > 0


@define(eq=False)
class _Post:
    """A request, and the name of its recipe. `received` collects the body of the answer.

    `until` is when the deadline of the request ends, on the clock `time.monotonic`; None before the first try.
    """

    name: str
    request: HttpRequest
    until: float | None = None
    received: BytesIO = field(factory=BytesIO)


@define(eq=False)
class _HostQueue:
    """The requests to one host.

    * `waiting`: the requests that wait. `running`: how many requests run, at most `most`.
    * `refusal`: the latest answer that asked for a pause; None if none did.
    * `opens_at`: when the pause that `refusal` asked for ends, on the clock `time.monotonic`.
    * `useless`: how many of the latest answers, in a row, listed no refs.
    """

    waiting: deque[_Post] = field(factory=deque)
    running: int = 0
    most: int = AT_ONCE_PER_HOST
    refusal: HttpAnswer | None = None
    opens_at: float = 0.0
    useless: int = 0

    def take_waiting(self, is_taken: Callable[[_Post], bool]) -> list[_Post]:
        """Remove the waiting requests for which `is_taken` returns True. Return them in their order."""
        waiting, self.waiting = self.waiting, deque()
        taken: list[_Post] = []
        for post in waiting:
            (taken if is_taken(post) else self.waiting).append(post)
        return taken


@define(eq=False)
class HttpPool:
    """Posts `body` to many URLs at once. Each call of `post` needs a new pool.

    * `deadline`: how many seconds a request may take, with its pauses. One try may take half of this time.
    * `most`: an answer with more bytes than this counts as no answer.
    """

    body: bytes
    deadline: float
    most: int
    _hosts: dict[str, _HostQueue] = field(factory=dict, init=False)
    _running: dict[Any, _Post] = field(factory=dict, init=False)
    _idle: list[Any] = field(factory=list, init=False)
    _multi: Any = field(default=None, init=False)

    def post(self, requests: Mapping[str, HttpRequest]) -> Generator[tuple[str, HttpAnswer], None, None]:
        """Send `requests`, by the name of the recipe. Yield each recipe with its answer, as soon as the answer comes.

        If a request fails, nothing is raised: its answer has the status 0.
        """
        if not requests:
            return
        import pycurl

        for name, request in requests.items():
            self._hosts.setdefault(request.host, _HostQueue()).waiting.append(_Post(name, request))
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, AT_ONCE_PER_HOST)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _AT_ONCE)
        try:
            while self._running or any(queue.waiting for queue in self._hosts.values()):
                self._start()
                self._multi.perform()
                arrived = [*self._finished(), *self._refused()]
                yield from arrived
                # An ended request makes room for another one, which starts at once.
                if not arrived:
                    self._wait()
        finally:
            for handle in self._running:
                self._multi.remove_handle(handle)
            self._multi.close()

    def _refused(self) -> Iterator[tuple[str, HttpAnswer]]:
        """Drop the waiting requests that must not be sent any more. For each, yield the recipe and an answer.

        * The last 8 answers of the host (_USELESS_ANSWERS) listed no refs: the answer has the status 0.
        * The host asked for a pause that ends after the request's deadline: the answer is the one that asked for it.
        """
        now = time.monotonic()
        for queue in self._hosts.values():
            if queue.useless >= _USELESS_ANSWERS:
                yield from ((post.name, HttpAnswer(0)) for post in queue.take_waiting(lambda _: True))
            elif queue.refusal is not None and queue.opens_at > now:
                opens_at, refusal, latest = queue.opens_at, queue.refusal, now + self.deadline
                late = queue.take_waiting(lambda post: (post.until or latest) < opens_at)  # noqa: B023  used at once
                yield from ((post.name, refusal) for post in late)

    def _start(self) -> None:
        now = time.monotonic()
        for queue in self._hosts.values():
            while queue.waiting and queue.opens_at <= now and queue.running < queue.most and self._has_room():
                queue.running += 1
                self._begin(queue.waiting.popleft(), now)

    def _has_room(self) -> bool:
        return len(self._running) < _AT_ONCE

    def _begin(self, post: _Post, now: float) -> None:
        post.until = post.until or now + self.deadline
        post.received = BytesIO()
        handle = self._idle.pop() if self._idle else self._new_handle()
        seconds = min(self.deadline / 2, post.until - now)
        changing = {"URL": post.request.url, "TIMEOUT_MS": max(1, int(seconds * 1000)), **post.request.options}
        # A method written in C: libcurl would drop an exception that a signal raises within a method in Python.
        _set(handle, {**changing, "WRITEFUNCTION": post.received.write})
        self._running[handle] = post
        self._multi.add_handle(handle)

    def _new_handle(self) -> Any:  # noqa: ANN401  pycurl has no types
        import pycurl

        handle = pycurl.Curl()
        options = {
            "POSTFIELDS": self.body,
            "HTTPHEADER": _HEADERS,
            "USERAGENT": _USER_AGENT,
            "HTTP_VERSION": pycurl.CURL_HTTP_VERSION_2TLS,
            "NOSIGNAL": 1,
            "FOLLOWLOCATION": 0,
            "MAXFILESIZE": self.most,
            # Without it, OpenSSL would ask at the terminal for the password of a key.
            "KEYPASSWD": "",
        }
        _set(handle, options)
        return handle

    def _finished(self) -> Iterator[tuple[str, HttpAnswer]]:
        """Yield the recipe and the answer of each request that has ended since the last call.

        An answer that asks for a pause is not yielded: its request goes back into the queue of the host.
        """
        _, whole, failed = self._multi.info_read()
        for handle, is_whole in [*((each, True) for each in whole), *((each[0], False) for each in failed)]:
            post = self._running.pop(handle)
            answer = self._answer(handle, post) if is_whole else HttpAnswer(0)
            queue = self._hosts[post.request.host]
            queue.running -= 1
            self._adapt(queue, answer, handle)
            self._multi.remove_handle(handle)
            self._idle.append(handle)
            if answer.must_wait:
                queue.waiting.appendleft(post)
            else:
                yield post.name, answer

    def _answer(self, handle: Any, post: _Post) -> HttpAnswer:  # noqa: ANN401  as above
        import pycurl

        return HttpAnswer(
            status=handle.getinfo(pycurl.RESPONSE_CODE),
            content_type=handle.getinfo(pycurl.CONTENT_TYPE) or "",
            body=post.received.getvalue(),
            retry_after=float(handle.getinfo(pycurl.RETRY_AFTER)),
        )

    def _adapt(self, queue: _HostQueue, answer: HttpAnswer, handle: Any) -> None:  # noqa: ANN401  as above
        import pycurl

        if answer.must_wait:
            queue.refusal, queue.opens_at = answer, time.monotonic() + answer.retry_after
        else:
            queue.useless = 0 if answer.is_listing else queue.useless + 1
        if handle.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0:
            queue.most = AT_ONCE_PER_HTTP2_HOST

    def _wait(self) -> None:
        """Wait until a socket is ready, libcurl has work, or the pause of a host ends; at most a second."""
        import pycurl

        now = time.monotonic()
        pauses = [queue.opens_at - now for queue in self._hosts.values() if queue.waiting and queue.opens_at > now]
        timer = self._multi.timeout()
        seconds = max(0.0, min([_LONGEST_WAIT, *pauses, *([timer / 1000] if timer >= 0 else [])]))
        # A signal interrupts `select`, and its handler decides what follows.
        with suppress(pycurl.error):
            if self._running:
                self._multi.select(seconds)
            elif pauses:
                time.sleep(seconds)


def _set(handle: Any, options: Mapping[str, object]) -> None:  # noqa: ANN401  as above
    import pycurl

    for option, value in options.items():
        handle.setopt(getattr(pycurl, option), value)
