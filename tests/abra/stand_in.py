"""A stand-in for Co-op Cloud's command `abra`, recorded from documents; it is not the real one.

What it does in which order, its exit codes (0 and 1) and its flags come from abra's public documentation, from the Go
package pages, and from what people who run it wrote down. The words of its FATA lines are not confirmed.

Tests install a script `abra` that calls `main`. Beside that script lie `behaviours` (JSON: from a command such as
"app deploy" to how it misbehaves, see BEHAVIOURS) and `calls`, to which it appends every call as a line of JSON.
"""

# ruff: noqa: T201  # it speaks as a command does
import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.abra.stand_in_call import AbraCall, ask, draw, fatal

HERE = Path(sys.argv[0]).parent
BEHAVIOURS = {
    "fatal": "ends with a FATA line and 1; the text after ':' is what the line says",
    "says done": "ends with 0, and has done nothing",
    "hangs": "draws its progress for ever",
    "asks": "asks on stdin, whatever was told",
    "wants a terminal": "ends with a FATA line and 1 where there is none",
    "is older": "knows no --no-converge-checks",
}
GLOBAL = ("--no-input", "--offline", "--debug", "--help")
FLAGS = {
    "app deploy": ("--chaos", "--force", "--no-domain-checks", "--no-converge-checks"),
    "app undeploy": ("--prune",),
    "app secret insert": ("--file", "--trim"),
    "app secret remove": ("--all",),
}
SHORT = {"-n": "--no-input", "-o": "--offline", "-d": "--debug", "-h": "--help", "-C": "--chaos", "-f": "--force"}
SHORT_OF = {
    "app deploy": {"-D": "--no-domain-checks", "-c": "--no-converge-checks"},
    "app undeploy": {"-p": "--prune"},
    "app secret insert": {"-f": "--file", "-t": "--trim"},
    "app secret remove": {"-a": "--all"},
}


def misbehave(command: str, behaviour: str) -> None:
    kind, _, text = behaviour.partition(": ")
    match kind:
        case "fatal":
            fatal(text)
        case "says done":
            sys.exit(0)
        case "hangs":
            while True:
                draw([command])
        case "asks":
            ask(text or "are you sure?")
        case "wants a terminal" if not sys.stdout.isatty():
            fatal("could not open a new TTY: open /dev/tty: no such device or address")


def parsed(argv: Sequence[str], known: Mapping[str, Sequence[str]]) -> tuple[str, list[str], list[str], str]:
    """The command, its flags, its arguments, and the file that is given to `--file`."""
    words: list[str] = []
    flags: list[str] = []
    file, rest = "", list(argv)
    while rest:
        word = rest.pop(0)
        command = next((name for name in known if words[: len(name.split())] == name.split()), "")
        word = SHORT_OF.get(command, {}).get(word) or SHORT.get(word, word)
        if not word.startswith("-"):
            words.append(word)
        elif word not in (*GLOBAL, *known.get(command, ())):
            fatal(f"unknown flag: {word}")
        elif word == "--file":
            file = rest.pop(0) if rest else fatal("flag needs an argument: --file")
        else:
            flags.append(word)
    command = next((name for name in known if words[: len(name.split())] == name.split()), "")
    if not command:
        fatal(f"unknown command {' '.join(words)!r} for abra")
    return command, flags, words[len(command.split()) :], file


def note_call() -> None:
    stdin = "null" if stat.S_ISCHR(os.fstat(0).st_mode) and not sys.stdin.isatty() else "other"
    call = {"argv": sys.argv[1:], "stdin": stdin, "variables": sorted(os.environ), "cwd": str(Path.cwd())}
    with (HERE / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(call) + "\n")


def main() -> None:
    note_call()
    chosen = HERE / "behaviours"
    behaviours = json.loads(chosen.read_text(encoding="utf-8")) if chosen.exists() else {}
    older = "is older" in behaviours.values()
    known = {name: [flag for flag in flags if not (older and "converge" in flag)] for name, flags in FLAGS.items()}
    command, flags, arguments, file = parsed(sys.argv[1:], known)
    if "--help" in flags:
        print(f"Usage:\n  abra {command} [flags]\n\nFlags:", *(f"      {flag}" for flag in known[command]), sep="\n")
        print("\nGlobal Flags:", *(f"      {flag}" for flag in GLOBAL), sep="\n")
        return
    abra = AbraCall(command, flags, arguments, file)
    misbehave(command, behaviours.get(command, ""))
    {
        "app deploy": abra.deploy,
        "app undeploy": abra.undeploy,
        "app secret insert": abra.insert_secret,
        "app secret remove": abra.remove_secret,
    }[command]()
