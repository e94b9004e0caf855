"""Asks upstreams for their main branch and tags: over HTTP in this process, or else by `git ls-remote`."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from attrs import evolve, field, frozen

from desired.releases import Unobservable
from reconciler.host.git.http_pool import HttpAnswer, HttpPool
from reconciler.host.git.http_request import CA_BUNDLES, HttpRequest, http_request
from reconciler.host.git.ls_refs import ls_refs_request, ls_remote_text
from reconciler.host.git.ls_remote import MOST_BYTES, LsRemote, status_message
from reconciler.host.git.remote_refs import digest_of, is_unchanged, ls_refs_digest, parse_ls_remote
from reconciler.host.output import MIB
from reconciler.ports.repositories import Reply, TagQuery, Unchanged

AT_ONCE = 8
# Many answers arrive at once within this process. A larger one is left to git, of which few run at once.
_MOST_BY_HTTP = 2 * MIB


@frozen
class GitUpstream:
    """Asks upstreams for their refs: implements the port Upstream.

    * `environment`: the environment of all child processes.
    * `protocols`: the protocols by which git may connect, such as "https".
    * `deadline`: how many seconds one recipe may take over HTTP, with all tries and pauses. One try may take half of
      this time. If git has to ask afterwards, git may take `deadline` seconds again.
    * `sleep`: waits some seconds between two tries of git.
    * `most`: the size of the largest accepted answer in bytes.
    """

    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    deadline: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    most: int = MOST_BYTES
    _git: LsRemote = field(init=False, eq=False, repr=False)

    @_git.default
    def _make_git(self) -> LsRemote:
        return LsRemote(self.environment, self.protocols, self.sleep, self.most)

    def ask(self, questions: Sequence[TagQuery]) -> Mapping[str, Reply]:
        self._git.stop.clear()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask") as pool:
            try:
                replies = self._ask(questions, pool)
                return {question.recipe.name: replies[question.recipe.name] for question in questions}
            except BaseException:
                # An interrupted pass must not wait for the slowest upstream.
                self._git.stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _ask(self, questions: Sequence[TagQuery], pool: ThreadPoolExecutor) -> Mapping[str, Reply]:
        requests = self._requests(questions)
        by_name = {question.recipe.name: question for question in questions}
        replies: dict[str, Reply] = {}
        by_git = {name: self._start_git(pool, by_name[name]) for name in by_name if name not in requests}
        with closing(
            HttpPool(ls_refs_request(), self.deadline, min(self.most, _MOST_BY_HTTP)).post(requests)
        ) as answers:
            for name, answer in answers:
                reply = self._reply(by_name[name], answer)
                if reply is None:
                    by_git[name] = self._start_git(pool, by_name[name])
                else:
                    replies[name] = reply
        return replies | {name: future.result() for name, future in by_git.items()}

    def _requests(self, questions: Sequence[TagQuery]) -> Mapping[str, HttpRequest]:
        """Return the HTTP requests that answer `questions`, by the name of the recipe.

        A recipe is left out if git has to ask its upstream: because of the URL, or of a setting for proxies or TLS.
        """
        bundle = next((path for path in CA_BUNDLES if Path(path).is_file()), None)
        recipes = [question.recipe for question in questions]
        made = {each.name: http_request(each.upstream, self.environment, self.protocols, bundle) for each in recipes}
        return {name: request for name, request in made.items() if request is not None}

    def _reply(self, question: TagQuery, answer: HttpAnswer) -> Reply | None:
        """Return the reply to `question` that an HTTP answer gives; None if git has to ask once more.

        * The server asks for a pause: return an Unobservable. The pool has waited already if the deadline allowed the
          pause.
        * The answer is not complete, not valid or too large: return None.
        * In all other cases: return Unchanged if the refs are the same as in the last answer, and the parsed Answer if
          not.
        """
        if answer.must_wait:
            return Unobservable(status_message(answer.status))
        if not answer.is_listing:
            return None
        digest = ls_refs_digest(answer.body)
        if digest in (question.known or "").split():
            return Unchanged()
        text = ls_remote_text(answer.body)
        reply = reply_to(question, text, digest) if text is not None and len(text) <= self.most else None
        return None if isinstance(reply, Unobservable) else reply

    def _start_git(self, pool: ThreadPoolExecutor, question: TagQuery) -> Future[Reply]:
        return pool.submit(self._ask_git, question)

    def _ask_git(self, question: TagQuery) -> Reply:
        return reply_to(question, self._git.list(question.recipe.upstream, self.deadline))


def reply_to(question: TagQuery, listed: bytes | Unobservable, body_digest: str | None = None) -> Reply:
    """Return the reply to `question`, made from upstream's answer.

    * `listed`: the answer as `git ls-remote` prints it, or an Unobservable.
    * `body_digest`: the digest of the HTTP body; None if git asked.

    The reply is one of these:
    * `listed` itself, if it is an Unobservable.
    * Unchanged, if `question.known` shows that the refs are the same as in the last answer.
    * An Unobservable, if `listed` is not valid.
    * The parsed Answer in all other cases. Its field `digest` is the digest of `listed`, followed by a space and
      `body_digest` if there is one.
    """
    if isinstance(listed, Unobservable):
        return listed
    if is_unchanged(question.known, digest_of(listed), body_digest):
        return Unchanged()
    answer = parse_ls_remote(listed)
    if body_digest is None or isinstance(answer, Unobservable):
        return answer
    return evolve(answer, digest=f"{answer.digest} {body_digest}")
