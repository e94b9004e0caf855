"""Ends a call that takes too long, whatever it waits for."""

import threading
from collections.abc import Callable

from reconciler.errors import CanonError, InfrastructureError

SECONDS = 30.0
"""The longest that sending one message to one target may take, from the name of its server to its last answer."""


def in_time(call: Callable[[], str], seconds: float = SECONDS) -> str:
    """Return what `call` returns, if it ends within `seconds`. Else raise InfrastructureError.

    A CanonError or OSError of `call` is raised as it is.
    A call that takes too long goes on in a thread that ends with this process. The time limits of sockets do not
    suffice: they count each read anew, and looking up a host name has none.
    """
    ended = _Ended()
    thread = threading.Thread(target=ended.run, args=(call,), daemon=True, name="notify")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise InfrastructureError(f"no answer within {seconds:g} s")
    if ended.error is not None:
        raise ended.error
    return ended.answer


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
