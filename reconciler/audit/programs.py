"""The port by which an audit runs git and Docker's command."""

from typing import Protocol

from attrs import frozen


@frozen
class Printed:
    """What a program printed, and how it ended.

    * `code`: its exit code; None if the program did not end in time, printed too much, or is not installed.
    * `out`, `err`: what it printed to stdout and to stderr.
    """

    code: int | None
    out: bytes
    err: bytes

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def why(self) -> str:
        """Return in one line why the program failed: its first line on stderr, or "it ended with 1", or "no answer"."""
        lines = [line for line in self.err.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
        if lines:
            return lines[0].removeprefix("fatal: ").removeprefix("error: ")
        return "no answer" if self.code is None else f"it ended with {self.code}"


class Programs(Protocol):
    """Runs programs. All methods may be called from several threads. If the program fails, the result says so."""

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:
        """Run git with these arguments, and `stdin` as its input. Return what it printed, and its exit code."""

    def docker(self, *arguments: str) -> Printed:
        """Run the command `docker` with these arguments. Return what it printed, and its exit code."""
