"""Runs git and Docker for an audit."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from reconciler.audit.programs import Printed
from reconciler.host.command_spec import CapturedOutput, CommandSpec
from reconciler.host.git.git_command import git_argv, git_environment
from reconciler.host.output import MIB
from reconciler.host.run import capture

_SECONDS = 300.0
_MOST = 64 * MIB


@frozen
class AuditPrograms:
    """Runs git and Docker for an audit: implements the audit's port Programs.

    `environment` is the environment of both programs. `protocols` are the protocols by which git may connect, such as
    "https". `reconciler.host.run.prepare` has to be called in the main thread before.
    """

    environment: Mapping[str, str]
    protocols: tuple[str, ...]

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:
        return _run(git_argv(*arguments), git_environment(self.environment, self.protocols), stdin)

    def docker(self, *arguments: str) -> Printed:
        return _run(("docker", *arguments), self.environment)


def _run(argv: tuple[str, ...], environment: Mapping[str, str], stdin: bytes = b"") -> Printed:
    return _printed(capture(CommandSpec(argv, environment, Path("/"), _SECONDS, stdin), _MOST, _MOST))


def _printed(output: CapturedOutput) -> Printed:
    if output.result.missing:
        return Printed(None, b"", b"it is not installed")
    return Printed(None if output.cut else output.result.code, output.out, output.err)
