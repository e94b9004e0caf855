"""What `--help` says of each command: it has examples, and the command takes them."""

import shlex
from collections.abc import Iterator

import click
import pytest

from reconciler.cli.main import reconcile


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its name; the pass, which has none, as "reconcile"."""
    yield "reconcile", reconcile
    yield from reconcile.commands.items()


def examples_of(name: str, command: click.Command) -> list[str]:
    """Return the command lines below "Example:" or "Examples:" in the help of a command."""
    with click.Context(command, info_name=name) as context:
        lines = command.get_help(context).splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip() in {"Example:", "Examples:"}]
    assert len(starts) == 1, f"the help of {name} has no examples; write them with options.examples"
    return [line.strip() for line in lines[starts[0] + 1 :] if line.strip().startswith("reconcile")]


def parse(words: list[str]) -> tuple[str, ...]:
    """Let click read a command line, and run nothing. Return the name of the command, empty for a pass.

    Raises UsageError if click refuses it.
    """
    with reconcile.make_context("reconcile", words) as context:
        rest = [*context._protected_args, *context.args]
        if not rest:
            return ()
        name, command, arguments = reconcile.resolve_command(context, rest)
        assert name is not None
        assert command is not None
        with command.make_context(name, arguments, parent=context):
            return (name,)


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_help_has_examples_which_its_command_takes(name: str, command: click.Command) -> None:
    examples = examples_of(name, command)
    assert examples != []
    for example in examples:
        program, *words = shlex.split(example.partition(" > ")[0])
        assert program == "reconcile"
        assert parse(words) == (() if command is reconcile else (name,)), example
