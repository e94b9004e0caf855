"""Words to calls, reports to exit codes. Everything heavy is imported where a command needs it."""

from reconciler.cli.main import run

__all__ = ["run"]
