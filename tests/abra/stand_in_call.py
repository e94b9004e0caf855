"""One call of the stand-in for abra: what its commands do to the recipe's folder, the app's file and the stack."""

# ruff: noqa: T201  # it speaks as a command does
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

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
