"""The command line. Each command imports the heavy modules that it needs, so that `--help` starts quickly."""

from reconciler.cli.main import run

__all__ = ["run"]
