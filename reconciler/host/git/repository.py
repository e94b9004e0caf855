"""A bare repository of ours, and git's answers about it as values."""

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

# What git ends with where it cannot go on, and its words where that is no fault of the repository's.
_BROKEN = 128
_OF_THE_HOST = re.compile(
    rb"input/output error|stale (?:nfs )?file handle|permission denied|too many open files|out of memory"
    rb"|cannot allocate memory|dubious ownership|resource temporarily unavailable|no space left",
    re.IGNORECASE,
)


@frozen
class Repository:
    """`environment` is what all children get. `holding` is the pass lock's descriptor, None where none is held.

    `flushed` names what git flushes to the disk as it writes, in the words of its setting `core.fsync`.
    """

    path: Path
    environment: Mapping[str, str]
    holding: int | None = None
    flushed: str = "all"

    def ask(self, *arguments: str, stdin: bytes = b"", also: Mapping[str, str] | None = None) -> CapturedOutput:
        """Whatever git says, also when it refuses. `also` are further variables of the environment."""
        return self._run(arguments, stdin, git_environment({**self.environment, **(also or {})}))

    def do(self, *arguments: str, stdin: bytes = b"", also: Mapping[str, str] | None = None) -> bytes:
        """What git prints. Raises InfrastructureError where it refuses."""
        return self.printed(arguments[0], self.ask(*arguments, stdin=stdin, also=also))

    def reach(
        self, *arguments: str, protocols: tuple[str, ...], stdin: bytes, seconds: float, file_bytes: int
    ) -> CapturedOutput:
        """Whatever git says in speaking to another repository; no file that it writes grows beyond `file_bytes`."""
        environment = git_environment(self.environment, protocols)
        return self._run(arguments, stdin, environment, seconds=seconds, file_bytes=file_bytes)

    def refs(self) -> Refs:
        output = self.ask("show-ref", "--dereference")
        if output.result.code == 1 and not output.err:
            return Refs()
        return read_show_ref(self.printed("show-ref", output))

    def commit(self, ref: str) -> str | None:
        """The commit that `ref` peels to, None if it names none. `ref` must not begin with a dash.

        Raises InfrastructureError where git could not look.
        """
        output = self.ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        # So git says that there is no such commit. It ends otherwise where it was killed, or could not read.
        if output.result.code == 1 and (not output.err or b"expected commit type" in output.err):
            return None
        return self.printed("rev-parse", output).decode("ascii").strip()

    def holds(self, *what: str) -> bool:
        """Whether every object is there that these commits, in words of `rev-list`, consist of.

        Raises InfrastructureError where git could not look.
        """
        output = self.ask("rev-list", "--objects", "--quiet", *what)
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
        """What git printed. Raises InfrastructureError where it refused."""
        if output.result.missing:
            raise InfrastructureError("git: not found in PATH", "install git")
        if output.result.timed_out:
            raise InfrastructureError(f"git {verb} in {self.path.name}: not done in time")
        if not output.ok:
            raise InfrastructureError(f"git {verb} in {self.path.name}: {error_line(output.err)}")
        return output.out
