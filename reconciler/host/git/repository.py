"""Runs git on one bare repository, and returns what it prints as values."""

import re
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.host.git.git_command import error_line, git_argv, git_environment
from reconciler.host.git.refs import Refs, read_show_ref
from reconciler.host.output import MIB
from reconciler.host.run import CapturedOutput, CommandSpec, capture

_SECONDS = 300.0
_MOST_BYTES = 64 * MIB

# The exit code of git's fatal errors. It means a broken repository, except with a message about a fault of the host.
_BROKEN = 128
_OF_THE_HOST = re.compile(
    rb"input/output error|stale (?:nfs )?file handle|permission denied|too many open files|out of memory"
    rb"|cannot allocate memory|dubious ownership|resource temporarily unavailable|no space left",
    re.IGNORECASE,
)


@frozen
class Repository:
    """A bare git repository.

    * `path`: its folder.
    * `environment`: the environment of all child processes.
    * `holding`: the descriptor of a lock that git inherits; None for no lock.
    * `flushed`: git's setting `core.fsync`: what git writes to the disk at once, such as "all" or "none".
    """

    path: Path
    environment: Mapping[str, str]
    holding: int | None = None
    flushed: str = "all"

    def try_run(
        self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> CapturedOutput:
        """Run git with `arguments`. Return its exit code and output, even if it failed.

        `stdin` is its standard input. `variables` are added to its environment; None for none.
        """
        return self._run(arguments, stdin, git_environment({**self.environment, **(variables or {})}))

    def run(self, *arguments: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None) -> bytes:
        """Run git with `arguments`. Return its standard output. Raise InfrastructureError if git fails.

        `stdin` is its standard input. `variables` are added to its environment; None for none.
        """
        return self.printed(arguments[0], self.try_run(*arguments, stdin=stdin, variables=variables))

    def run_remote(
        self, *arguments: str, protocols: tuple[str, ...], stdin: bytes, seconds: float, file_bytes: int
    ) -> CapturedOutput:
        """Run a git command that connects to another repository. Return its exit code and output, even if it failed.

        * `protocols`: the protocols by which git may connect, such as "https".
        * `stdin`: the standard input of git.
        * `seconds`: after this time, git is stopped.
        * `file_bytes`: the size of the largest file that git may write.
        """
        environment = git_environment(self.environment, protocols)
        return self._run(arguments, stdin, environment, seconds=seconds, file_bytes=file_bytes)

    def refs(self) -> Refs:
        output = self.try_run("show-ref", "--dereference")
        if output.result.code == 1 and not output.err:
            return Refs()
        return read_show_ref(self.printed("show-ref", output))

    def commit(self, ref: str) -> str | None:
        """Return the id of the commit to which `ref`, a name or an id, leads, also through annotated tags.

        Return None if there is no such ref, or if it leads to no commit. `ref` must not begin with a dash. Raise
        InfrastructureError if git fails.
        """
        output = self.try_run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        # This is git's result for a missing commit. A killed git and a read error end with something else.
        if output.result.code == 1 and (not output.err or b"expected commit type" in output.err):
            return None
        return self.printed("rev-parse", output).decode("ascii").strip()

    def has_objects(self, *what: str) -> bool:
        """Return whether the repository has all objects of the commits that `what` selects.

        `what` are arguments of `git rev-list`, such as "--all". Raise InfrastructureError if git cannot tell, for
        example after a disk error or a timeout.
        """
        output = self.try_run("rev-list", "--objects", "--quiet", *what)
        if output.result.code == _BROKEN and not _OF_THE_HOST.search(output.err):
            return False
        self.printed("rev-list", output)
        return True

    def _run(
        self,
        arguments: tuple[str, ...],
        stdin: bytes,
        environment: Mapping[str, str],
        seconds: float = _SECONDS,
        file_bytes: int | None = None,
    ) -> CapturedOutput:
        argv = git_argv(*arguments, repository=self.path, settings={"core.fsync": self.flushed})
        spec = CommandSpec(argv, environment, Path("/"), seconds, stdin, file_bytes=file_bytes, holding=self.holding)
        return capture(spec, _MOST_BYTES, _MOST_BYTES)

    def printed(self, verb: str, output: CapturedOutput) -> bytes:
        """Return the standard output of a git command that has ended with this `output`.

        Raise InfrastructureError if git failed, took too long or is not installed. `verb` names the command in the
        message.
        """
        if output.result.missing:
            raise InfrastructureError("git: not found in PATH", "install git")
        if output.result.timed_out:
            raise InfrastructureError(f"git {verb} in {self.path.name}: not done in time")
        if not output.ok:
            raise InfrastructureError(f"git {verb} in {self.path.name}: {error_line(output.err)}")
        return output.out
