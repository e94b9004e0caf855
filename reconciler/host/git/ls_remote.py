"""Lists the main branch and tags of an upstream by `git ls-remote`. After an error that may pass, it tries again."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import field, frozen

from desired.releases import Unobservable
from reconciler.host.git.git_command import error_line, git_argv, git_environment
from reconciler.host.output import MIB
from reconciler.host.run import CapturedOutput, CommandSpec, capture

MOST_BYTES = 32 * MIB

_TRIES = 3
_NO_REFS = 2

# Errors after which a second try may succeed. After a timeout there is no second try: no time is left for it.
_TRANSIENT = re.compile(
    rb"Connection refused|Connection reset|Couldn't connect|Failed to connect|Could not resolve"
    rb"|returned error: (?:429|5\d\d)|Recv failure|Empty reply from server|unexpected disconnect",
    re.IGNORECASE,
)
_PASSWORD = re.compile(rb"could not read (?:Username|Password)|Authentication failed|Permission denied \(publickey")
_STATUS = re.compile(rb"The requested URL returned error: (\d{3})")


@frozen
class LsRemote:
    """Runs `git ls-remote`.

    * `environment`: the environment of all child processes.
    * `protocols`: the protocols by which git may connect, such as "https".
    * `sleep`: waits some seconds between two tries.
    * `most`: the size of the largest accepted output in bytes.
    * `stop`: an event. If it is set, running calls end early.
    """

    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    sleep: Callable[[float], None] = time.sleep
    most: int = MOST_BYTES
    stop: threading.Event = field(factory=threading.Event, eq=False, repr=False)

    def list(self, url: str, seconds: float) -> bytes | Unobservable:
        """Return what `git ls-remote` prints for the URL `url`; an Unobservable with the reason if git fails.

        After an error that may pass by itself, try again, at most three times in all. `seconds` is the limit for all
        tries and pauses together.
        """
        until = time.monotonic() + seconds
        output = self._list_once(url, until)
        if _is_transient(output):
            output = self._list_again(url, until, output)
        reason = _failure(output)
        return output.out if reason is None else Unobservable(reason)

    def _list_again(self, url: str, until: float, first: CapturedOutput) -> CapturedOutput:
        from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

        earlier = [first]
        tries = Retrying(
            retry=retry_if_result(_is_transient),
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            sleep=self.sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        return tries(lambda: earlier.pop() if earlier else self._list_once(url, until))

    def _list_once(self, url: str, until: float) -> CapturedOutput:
        seconds = max(0.0, until - time.monotonic())
        argv = git_argv("ls-remote", "--exit-code", "--symref", "--", url, "HEAD", "refs/heads/*", "refs/tags/*")
        environment = git_environment(self.environment, self.protocols)
        return capture(CommandSpec(argv, environment, Path("/"), seconds, stop=self.stop), self.most)


def _is_transient(output: CapturedOutput) -> bool:
    return not output.ok and not output.result.timed_out and _TRANSIENT.search(output.err) is not None


def _failure(output: CapturedOutput) -> str | None:
    """Return why `git ls-remote` with this `output` listed no refs, in one sentence; None if it did list them."""
    if output.result.missing:
        return "git is not installed"
    if output.result.timed_out:
        return "upstream did not answer completely in time"
    if output.cut:
        return "the answer is too large"
    if output.result.code == _NO_REFS and not output.err:
        return "upstream answered, but with no refs at all"
    return None if output.ok else _reason(output.err)


def _reason(err: bytes) -> str:
    if _PASSWORD.search(err):
        return "upstream wants a password or a key, and we have none for it"
    if status := _STATUS.search(err):
        return status_message(int(status[1]))
    return f"git could not list it: {error_line(err)}"


def status_message(status: int) -> str:
    return f"upstream answered with status {status}"
