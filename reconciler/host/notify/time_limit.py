"""Ends a call that takes too long, whatever it waits for."""

import threading
from collections.abc import Callable, Iterable

from attrs import frozen

from reconciler.errors import CanonError, InfrastructureError, in_one_line
from reconciler.host.stopping_signals import start_thread
from reconciler.ports.notifier import RefusedMessageError
from reconciler.redact import redaction

SECONDS = 30.0
"""The longest that sending one message to one target may take, from the name of its server to its last answer."""


def in_time(call: Callable[[], str], seconds: float = SECONDS) -> str:
    """Call `call`, and return what it returns, if it ends within `seconds`.

    If it does not, raise InfrastructureError: the call goes on in a thread that ends with this process. A CanonError or
    OSError of `call` is raised as it is. The time limits of sockets are not enough: they begin again with each read,
    and to look up a host name has no limit.
    """
    ended = _Ended()
    thread = threading.Thread(target=ended.run, args=(call,), daemon=True, name="notify")
    start_thread(thread)
    thread.join(seconds)
    if thread.is_alive():
        raise InfrastructureError(f"no answer within {seconds:g} s")
    if ended.error is not None:
        raise ended.error
    return ended.answer


@frozen
class Target:
    """A server that gets messages.

    * `place`: how errors name the server, such as "https://example.org".
    * `seconds`: the time limit of a call.
    * `is_refusal`: returns whether an error means that the server refused a message for good, because of its content.
    """

    place: str
    seconds: float
    is_refusal: Callable[[Exception], bool]

    def ask(self, call: Callable[[], str], secrets: Iterable[str]) -> str:
        """Call `call`, and return what it returns.

        Raise RefusedMessageError if the server refused the message for good, InfrastructureError if `call` fails for
        another reason or takes too long. `secrets` are removed from the text and from the error, because the server may
        repeat them.
        """
        hidden = redaction([secret.encode() for secret in secrets])
        try:
            return hidden.apply(in_time(call, self.seconds).encode()).decode("utf-8", "replace")
        except (InfrastructureError, OSError) as failed:
            said = hidden.apply(in_one_line(failed).encode()).decode("utf-8", "replace")
            kind = RefusedMessageError if self.is_refusal(failed) else InfrastructureError
            raise kind(f"{self.place}: {said}") from failed


class _Ended:
    """Runs a call, and keeps what came of it.

    `answer` is what the call returned, "" if nothing yet. `error` is what it raised, None if nothing.
    """

    def __init__(self) -> None:
        self.answer = ""
        self.error: BaseException | None = None

    def run(self, call: Callable[[], str]) -> None:
        try:
            self.answer = call()
        except (CanonError, OSError) as failed:
            self.error = failed
        except Exception as bug:  # noqa: BLE001  of a library: a message that is not sent is never more than a note
            self.error = InfrastructureError(f"{type(bug).__name__}: {bug}")
