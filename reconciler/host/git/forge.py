"""Pushes our mirrors to the team's forge. Only what the forge lacks is pushed; nothing there is overwritten."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from desired.mirror import Mirror
from reconciler.errors import CanonError, InfrastructureError, reason_of
from reconciler.host.credential import read_credential
from reconciler.host.git.forge_refs import (
    PUSHED,
    batches,
    plan_push,
    push_problem,
    pushed_input,
    read_forge_refs,
    refusals,
    split_refs,
)
from reconciler.host.git.git_command import error_line, git_argv, git_environment, secret_settings
from reconciler.host.git.mirror_repository import locked
from reconciler.host.git.refs import HEADS, TAGS
from reconciler.host.git.repository import Repository
from reconciler.host.output import MIB
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.ports.repositories import DuePush, PushResult
from state.folder.folder import StateFolder

T = TypeVar("T")

AT_ONCE = 8
_LIST_SECONDS = 60.0
_MOST_BYTES = 32 * MIB
# What git says over HTTP, of a local path, and what forges say over ssh.
_NO_REPOSITORY = re.compile(rb"not found|does not appear to be a git repository|cannot find repository", re.IGNORECASE)


class _NoRepositoryError(InfrastructureError):
    """The forge answers, but has no repository for the recipe, or does not show it to this user."""


@frozen
class GitForge:
    """Pushes mirrors to the team's forge: implements the port TeamForge.

    * `environment`: the environment of all child processes.
    * `protocols`: the protocols by which git may connect, such as "https".
    * `target`: the declared address and token of the forge.
    * `holding`: the descriptor of the pass lock, which git inherits; None for no lock.
    * `push_seconds`: how long one push may take.
    """

    state: StateFolder
    environment: Mapping[str, str]
    protocols: tuple[str, ...]
    target: Mirror
    holding: int | None = None
    push_seconds: float = 900.0

    def push(self, names: Sequence[str]) -> Mapping[str, PushResult]:
        return _of_each(names, self._push)

    def due(self, names: Sequence[str]) -> Mapping[str, DuePush]:
        return _of_each(names, self._due)

    def list_refs(self, name: str) -> Mapping[str, str]:
        """Ask the forge for the branches and tags of the recipe `name`. Return their object ids by full names of refs.

        Raise InfrastructureError if the forge does not answer, refuses, or has no repository for the recipe.
        """
        arguments = ("ls-remote", "--refs", "--", self.target.address(name), f"{HEADS}*", f"{TAGS}*")
        output = self._run(git_argv(*arguments), _LIST_SECONDS)
        if output.result.timed_out:
            raise InfrastructureError("the forge does not answer in time")
        if not output.ok:
            kind = _NoRepositoryError if _NO_REPOSITORY.search(output.err) else InfrastructureError
            raise kind(f"the forge cannot be read: {error_line(output.err)}")
        return read_forge_refs(output.out)

    def _push(self, name: str) -> PushResult:
        try:
            return self._push_missing(name)
        except (CanonError, OSError) as failed:
            return PushResult(problems=(reason_of(failed),))

    def _due(self, name: str) -> DuePush:
        try:
            wanted, before = split_refs(self._mirror_refs(name))
            return DuePush(plan_push(wanted, self._listed(name, is_new=not before), before).missing)
        except (CanonError, OSError) as failed:
            return DuePush(unknown=reason_of(failed))

    def _push_missing(self, name: str) -> PushResult:
        """Push the refs of the mirror `name` that the forge lacks. Record in the mirror which refs the forge has then.

        Return the pushed refs that the forge has afterwards, and problems. A problem is a sentence on a ref that the
        forge did not take, or on a tag that is not pushed because somebody changed it on the forge. Raise
        InfrastructureError if the forge cannot be read, or if a whole push fails.
        """
        wanted, before = split_refs(self._mirror_refs(name))
        forge = self._listed(name, is_new=not before)
        plan = plan_push(wanted, forge, before)
        refused: dict[str, str] = {}
        for refs in batches(plan.missing):
            refused |= self._send(name, refs)
        if plan.missing:
            forge = self.list_refs(name)
        self._remember(name, pushed_input(wanted, forge, before))
        absent = [ref for ref in plan.missing if forge.get(ref) != wanted[ref]]
        problems = [push_problem(ref, refused.get(ref, "the forge does not have it afterwards")) for ref in absent]
        return PushResult(tuple(ref for ref in plan.missing if ref not in absent), (*plan.problems, *problems))

    def _listed(self, name: str, *, is_new: bool) -> Mapping[str, str]:
        """Return the refs that the forge has of the recipe `name`: object ids by full names.

        If the forge has no repository for the recipe, the answer depends on `is_new`. If it is True, return {}: many
        forges make the repository at the first push. If it is False, raise InfrastructureError. Raise
        InfrastructureError also if the forge does not answer or refuses.
        """
        try:
            return self.list_refs(name)
        except _NoRepositoryError:
            if is_new:
                return {}
            raise

    def _send(self, name: str, refs: Sequence[str]) -> dict[str, str]:
        """Push refs from the mirror `name`. Return the refs that the forge refused, as {FULL NAME: REASON}.

        `refs` are the full names of the refs. Raise InfrastructureError if the push took too long, or failed as a
        whole.
        """
        arguments = (
            "push",
            "--porcelain",
            "--no-verify",
            "--",
            self.target.address(name),
            *map("{0}:{0}".format, refs),
        )
        output = self._run(git_argv(*arguments, repository=self.state.mirror(name)), self.push_seconds)
        refused = refusals(output.out)
        if output.result.timed_out:
            raise InfrastructureError("the push was not done in time")
        if not output.ok and not refused:
            raise InfrastructureError(f"the push failed: {error_line(output.err)}")
        return refused

    def _mirror_refs(self, name: str) -> dict[str, str]:
        """Return the branches and tags of our mirror, and its refs below `refs/pushed/`: object ids by full names.

        The refs below `refs/pushed/` record what the forge had when it was last looked at. Raise InfrastructureError if
        git fails.
        """
        mirror = Repository(self.state.mirror(name), self.environment, self.holding)
        return read_forge_refs(mirror.run("for-each-ref", "--format=%(objectname)%09%(refname)", HEADS, TAGS, PUSHED))

    def _remember(self, name: str, changes: bytes) -> None:
        if not changes:
            return
        with locked(self.state.mirror(name)) as lock:
            holding = lock if self.holding is None else self.holding
            mirror = Repository(self.state.mirror(name), self.environment, holding)
            mirror.run("update-ref", "-z", "--stdin", stdin=changes)
            mirror.run("pack-refs", "--all")

    def _run(self, argv: tuple[str, ...], seconds: float) -> CapturedOutput:
        """Run a git command that connects to the forge, with its token, for at most `seconds`.

        Return how it ended and what it printed, even if it failed. Raise InfrastructureError if git is missing, or if
        the token cannot be read.
        """
        environment = {**git_environment(self.environment, self.protocols), **secret_settings(self._secrets())}
        spec = CommandSpec(argv, environment, Path("/"), seconds, holding=self.holding)
        output = capture(spec, _MOST_BYTES, MIB)
        if output.result.missing:
            raise InfrastructureError("git: not found in PATH", "install git")
        return output

    def _secrets(self) -> Mapping[str, str]:
        """Return the git setting that sends the token to the forge, as {NAME: VALUE}; {} if no token is declared.

        Raise InfrastructureError if the token cannot be read.
        """
        if not self.target.token:
            return {}
        token = read_credential(self.target.token, "the forge's token", "[mirror] token")
        pair = base64.b64encode(f"canon:{token}".encode()).decode()
        return {"http.extraHeader": f"Authorization: Basic {pair}"}


def _of_each(names: Sequence[str], function: Callable[[str], T]) -> dict[str, T]:
    """Call `function` with each of `names`, several at the same time. Return the results by name."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push") as pool:
        try:
            return dict(zip(names, pool.map(function, names), strict=True))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
