"""Lists the main branch and tags of upstreams by `git ls-remote`, eight recipes at a time."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import field, frozen

from desired.model import Unobservable
from reconciler.host.git.git_command import error_line, git_argv, git_environment
from reconciler.host.git.remote_refs import digest_of, parse_ls_remote
from reconciler.host.output import MIB
from reconciler.host.run import CapturedOutput, CommandSpec, capture, prepare
from reconciler.ports.repositories import Reply, TagQuery, Unchanged

AT_ONCE = 8

_TRIES = 3
_NO_REFS = 2
_MOST_BYTES = 32 * MIB

# Errors after which a second try may succeed. After a timeout there is no second try: no time is left for it.
_TRANSIENT = re.compile(
    rb"Connection refused|Connection reset|Couldn't connect|Failed to connect|Could not resolve"
    rb"|returned error: (?:429|5\d\d)|Recv failure|Empty reply from server|unexpected disconnect",
    re.IGNORECASE,
)
_PASSWORD = re.compile(rb"could not read (?:Username|Password)|Authentication failed|Permission denied \(publickey")
_STATUS = re.compile(rb"The requested URL returned error: (\d{3})")


@frozen
class GitUpstream:
    """Implements the port Upstream with git. `environment` is the environment of all children.

    `protocols` are those that git may use. `deadline` is the seconds for one recipe, all tries and pauses included.
    `sleep` sleeps between two tries. `most` is the size of the largest answer in bytes.
    """

    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    deadline: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    most: int = _MOST_BYTES
    _stop: threading.Event = field(factory=threading.Event, init=False, eq=False, repr=False)

    def ask(self, questions: Sequence[TagQuery]) -> Mapping[str, Reply]:
        prepare()
        self._stop.clear()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask") as pool:
            try:
                replies = list(pool.map(self._ask, questions))
            except BaseException:
                # An interrupted pass must not wait for the slowest upstream.
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return {question.recipe.name: reply for question, reply in zip(questions, replies, strict=True)}

    def _ask(self, question: TagQuery) -> Reply:
        output = self._list(question.recipe.upstream)
        reason = _failure(output)
        if reason is not None:
            return Unobservable(reason)
        if digest_of(output.out) == question.known:
            return Unchanged()
        return parse_ls_remote(output.out)

    def _list(self, url: str) -> CapturedOutput:
        """Run `git ls-remote` on `url`, and try again after a transient error."""
        until = time.monotonic() + self.deadline
        output = self._list_once(url, until)
        return self._list_again(url, until, output) if _is_transient(output) else output

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
        return capture(CommandSpec(argv, environment, Path("/"), seconds, stop=self._stop), self.most)


def _is_transient(output: CapturedOutput) -> bool:
    return not output.ok and not output.result.timed_out and _TRANSIENT.search(output.err) is not None


def _failure(output: CapturedOutput) -> str | None:
    """Return in one sentence why `git ls-remote` gave no answer; None if it succeeded."""
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
        return f"upstream answered with status {status[1].decode()}"
    return f"git could not list it: {error_line(err)}"
