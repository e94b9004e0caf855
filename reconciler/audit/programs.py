"""The port through which an audit runs git and Docker's command."""

from typing import Protocol

from attrs import frozen


@frozen
class Printed:
    """What a program printed, and its exit code; None if it did not end in time or is not installed."""

    code: int | None
    out: bytes
    err: bytes

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def why(self) -> str:
        """Return the first line of the program's error output; if there is none, a text that it did not answer."""
        lines = [line for line in self.err.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
        if lines:
            return lines[0].removeprefix("fatal: ").removeprefix("error: ")
        return "no answer" if self.code is None else f"it ended with {self.code}"


class Programs(Protocol):
    """Runs programs. Every method may be called from several threads."""

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:
        """Run git with these arguments."""

    def docker(self, *arguments: str) -> Printed:
        """Run Docker's command with these arguments."""
