#!/usr/bin/env python3
"""A stand-in for Co-op Cloud's command `abra`, recorded from documents; it is not the real one.

What it does in which order, its exit codes (0 and 1) and its flags come from abra's public documentation, from the Go
package pages, and from what people who run it wrote down. The words of its FATA lines are not confirmed.

It is copied to where tests find it as `abra`. Beside it lie `behaviours` (JSON: from a command such as "app deploy" to
how it misbehaves, see BEHAVIOURS) and `calls`, to which it appends every call as a line of JSON.
"""

# ruff: noqa: T201  # it speaks as a command does
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).parent
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
DEFAULT_TIMEOUT = 50


class AbraCall:
    """One call. `env` are the app's variables, `stack` is its stack."""

    def __init__(self, command: str, flags: Sequence[str], arguments: Sequence[str], file: str) -> None:
        self.command, self.flags, self.file = command, set(flags), file
        self.name = arguments[0] if arguments else fatal("no app provided")
        self.arguments = arguments[1:]
        self.root = Path(os.environ.get("ABRA_DIR", Path.home() / ".abra"))
        self.env_file = next(self.root.glob(f"servers/*/{self.name}.env"), None) or fatal(
            f"cannot find app with name {self.name}"
        )
        self.env = dict(variables(self.env_file.read_text(encoding="utf-8")))
        self.stack = self.name.replace(".", "_")
        self.recipe, _, self.pinned = self.env.get("TYPE", "").partition(":")
        self.folder = self.root / "recipes" / self.recipe

    # ---- commands ----

    def deploy(self) -> None:
        if not (self.folder / ".git").exists():
            fatal(f"{self.recipe}: no recipe of that name, and it cannot be cloned")
        if self.deployed() and not self.flags & {"--force", "--chaos"}:
            fatal(f"{self.name} is already deployed")
        version = self.chosen_version()
        environment = {**self.env, **exports(self.folder), "STACK_NAME": self.stack}
        files = [self.folder / name for name in environment.get("COMPOSE_FILE", "compose.yml").split(":")]
        config = self.resolved(files, environment)
        self.require_secrets(config)
        self.confirm("proceed with deployment?")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as added:
            json.dump(self.added(version, environment), added)
            added.flush()
            manner = ("--detach=true", "--resolve-image", "always")
            self.docker("stack", "deploy", *manner, *compose([*files, Path(added.name)]), self.stack, env=environment)
        if "--no-converge-checks" not in self.flags:
            self.converge(config)
        self.pin(version)

    def undeploy(self) -> None:
        if not self.deployed():
            fatal(f"{self.name} is not deployed")
        self.confirm("proceed with undeploy?")
        # Swarm refuses to remove a network as long as a task on its way out still has it.
        until = time.monotonic() + DEFAULT_TIMEOUT
        while subprocess.run(["docker", "stack", "rm", self.stack], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until:
                fatal("failed to remove some resources from stack")
            time.sleep(0.5)

    def insert_secret(self) -> None:
        if len(self.arguments) < 2 + (not self.file):
            fatal("missing arguments: a secret, a version, and a value or --file")
        secret, version, *value = self.arguments
        content = Path(self.file).read_bytes() if self.file else value[0].encode()
        self.docker("secret", "create", f"{self.stack}_{secret}_{version}", "-", stdin=content)

    def remove_secret(self) -> None:
        found = self.docker("secret", "ls", "--format", "{{.Name}}", "--filter", f"name={self.stack}_").split()
        for secret in found:
            self.docker("secret", "rm", secret)

    # ---- what they share ----

    def deployed(self) -> bool:
        label = f"label=com.docker.stack.namespace={self.stack}"
        return bool(self.docker("service", "ls", "--quiet", "--filter", label).strip())

    def chosen_version(self) -> str:
        """The version that is deployed: checked out, but for chaos, which takes what lies there."""
        if "--chaos" in self.flags:
            dirty = "+U" if self.git("status", "--porcelain") else ""
            return self.git("rev-parse", "--short=8", "HEAD") + dirty
        if self.git("status", "--porcelain"):
            fatal(f"{self.recipe} has locally unstaged changes")
        if "--offline" not in self.flags:
            self.git("fetch", "--tags", "origin")
        tags = self.git("tag", "--list", "--sort=-version:refname").split()
        version = next(iter(self.arguments), "") or self.pinned or (tags[0] if tags else self.git("rev-parse", "HEAD"))
        if version in tags and self.git("cat-file", "-t", f"refs/tags/{version}") != "tag":
            fatal(f"lint error in {self.recipe} configs: only annotated tags used for recipe version (R014)")
        self.git("checkout", "--quiet", "--detach", version)
        return version

    def resolved(self, files: Sequence[Path], environment: Mapping[str, str]) -> str:
        lacking = [file.name for file in files if not file.is_file()]
        if lacking:
            fatal(f"{', '.join(lacking)}: no such file in {self.recipe}")
        return self.docker("stack", "config", *compose(files), env=environment)

    def require_secrets(self, config: str) -> None:
        have = set(self.docker("secret", "ls", "--format", "{{.Name}}").split())
        lacking = sorted(set(re.findall(r"^ {4}name: (\S+)$", section(config, "secrets"), re.MULTILINE)) - have)
        if lacking:
            fatal(f"unable to deploy, secrets not generated: {', '.join(lacking)}")

    def added(self, version: str, environment: Mapping[str, str]) -> dict[str, object]:
        """Labels on the service `app`, and the app's variables in that service alone."""
        chaos = "--chaos" in self.flags
        labels = {"recipe": self.recipe, "chaos": str(chaos).lower(), "chaos-version" if chaos else "version": version}
        app = {
            "environment": {key: value.replace("$", "$$") for key, value in environment.items()},
            "deploy": {"labels": {f"coop-cloud.{self.stack}.{key}": value for key, value in labels.items()}},
        }
        return {"version": "3.8", "services": {"app": app}}

    def converge(self, config: str) -> None:
        found = re.search(rf"coop-cloud\.{re.escape(self.stack)}\.timeout: \"?(\d+)", config)
        until = time.monotonic() + int(found[1] if found else DEFAULT_TIMEOUT)
        label = f"label=com.docker.stack.namespace={self.stack}"
        while time.monotonic() < until:
            replicas = self.docker("service", "ls", "--format", "{{.Replicas}}", "--filter", label).split("\n")
            if all(up == wanted for up, _, wanted in (each.partition("/") for each in replicas if each)):
                return
            draw(replicas)
        fatal("deploy timed out")

    def confirm(self, question: str) -> None:
        if "--no-input" not in self.flags:
            ask(question)

    def pin(self, version: str) -> None:
        text = self.env_file.read_text(encoding="utf-8")
        pinned = re.sub(r"^TYPE=.*$", f"TYPE={self.recipe}:{version}", text, flags=re.MULTILINE)
        self.env_file.write_text(pinned, encoding="utf-8")

    def git(self, *words: str) -> str:
        return output(["git", "-C", str(self.folder), *words])

    def docker(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return output(["docker", *words], stdin, {**(env or {}), **os.environ})


def output(argv: Sequence[str], stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, env=env, check=False)
    if done.returncode != 0:
        fatal(done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"{argv[0]} failed")
    return done.stdout.decode(errors="replace").strip()


def compose(files: Iterable[Path]) -> tuple[str, ...]:
    return tuple(word for file in files for word in ("--compose-file", str(file)))


def variables(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = re.fullmatch(r"""([A-Za-z_]\w*)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^#]*?))\s*(?:#.*)?""", line)
        if found:
            double = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), found[3] or "")
            yield found[1], found[2] or double or found[4] or ""


def exports(folder: Path) -> dict[str, str]:
    script = folder / "abra.sh"
    text = script.read_text(encoding="utf-8") if script.exists() else ""
    return dict(variables("\n".join(line.removeprefix("export ") for line in text.splitlines() if "export" in line)))


def section(config: str, name: str) -> str:
    found = re.search(rf"^{name}:\n((?: .*\n?|\n)*)", config, re.MULTILINE)
    return found[1] if found else ""


def fatal(said: str) -> NoReturn:
    print(f"FATA {said}", file=sys.stderr)
    sys.exit(1)


def ask(question: str) -> None:
    print(f"? {question} (y/N) ", end="", flush=True)
    answer = sys.stdin.readline()
    if not answer:
        fatal("EOF")
    if answer.strip().lower() not in {"y", "yes"}:
        fatal("cancelled, bailing out")


def draw(replicas: Sequence[str]) -> None:
    """One frame of its terminal's picture."""
    print(f"\x1b[2K\r⣾ {' '.join(replicas)}", end="", flush=True)
    time.sleep(0.2)


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


if __name__ == "__main__":
    main()
