"""The command line. Each command imports the heavy modules that it needs, so that it starts quickly."""

from collections.abc import Sequence

from reconciler import __version__
from reconciler.cli.standard_streams import print_answer


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Print errors to stderr, and return the exit code."""
    if list(arguments) == ["--version"]:  # the answer of click, without loading click
        return print_answer(f"reconcile, version {__version__}\n", 0)
    from reconciler.cli.main import run as run_command

    return run_command(arguments)
