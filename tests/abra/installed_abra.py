"""Installs the stand-in for abra, and makes a recipe's repository for it to deploy."""

import json
import os
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from tests.reconcile_command import ReconcileResult
from tests.repositories import git

ROOT: Final = Path(__file__).parent.parent.parent
SCRIPT: Final = f"""\
#!/usr/bin/env -S python3 -S
import sys

sys.path.insert(0, {str(ROOT)!r})
from tests.abra.stand_in import main

main()
"""
WHO: Final = ("-c", "user.name=test", "-c", "user.email=test@example.org")
LONGEST: Final = 120


@frozen
class InstalledAbra:
    """`bin` holds `abra` and the files that it reads and writes."""

    bin: Path

    @classmethod
    def into(cls, folder: Path) -> "InstalledAbra":
        folder.mkdir()
        (folder / "abra").write_text(SCRIPT, encoding="utf-8")
        (folder / "abra").chmod(stat.S_IRWXU)
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Docker's client needs, with the stand-in first on PATH."""
        kept = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
        return {**kept, "PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.bin), "LC_ALL": "C.UTF-8"}

    def behave(self, **behaviours: str) -> None:
        """Make commands misbehave, such as `app_deploy="hangs"`."""
        chosen = {command.replace("_", " "): behaviour for command, behaviour in behaviours.items()}
        (self.bin / "behaviours").write_text(json.dumps(chosen), encoding="utf-8")

    @property
    def calls(self) -> list[dict[str, Any]]:
        written = self.bin / "calls"
        return [json.loads(line) for line in written.read_text().splitlines()] if written.exists() else []

    def called(self, *words: str) -> list[list[str]]:
        """Return the arguments of the calls that contain all of `words`."""
        return [call["argv"] for call in self.calls if {*words} <= {*call["argv"]} and "--help" not in call["argv"]]


@frozen
class AbraOperator:
    """A user with an ABRA_DIR that has one recipe and one app of it."""

    installed: InstalledAbra
    root: Path
    app: str

    @property
    def recipe(self) -> Path:
        return self.root / "recipes" / "page"

    @property
    def env_file(self) -> Path:
        return self.root / "servers" / "default" / f"{self.app}.env"

    @property
    def stack(self) -> str:
        return self.app.replace(".", "_")

    def abra(self, *words: str, stdin: str | None = None) -> ReconcileResult:
        done = subprocess.run(
            ["abra", *words],
            env={**self.installed.environment, "ABRA_DIR": str(self.root)},
            cwd=self.root,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        return ReconcileResult(done.returncode, done.stdout, done.stderr)

    def commit(self, files: Mapping[str, str], tag: str, *, annotated: bool = True) -> None:
        for name, text in files.items():
            (self.recipe / name).write_text(text, encoding="utf-8")
        git(self.recipe, "add", "--all")
        git(self.recipe, *WHO, "commit", "-q", "-m", tag)
        git(self.recipe, *WHO, "tag", *(["-a", "-m", tag] if annotated else []), tag)

    def docker(self, *words: str) -> str:
        return docker(*words)


def docker(*words: str) -> str:
    """Run Docker's client and return its output. Raises if it fails."""
    return subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=LONGEST, check=True, stdin=subprocess.DEVNULL
    ).stdout.strip()


def remove_stack(stack: str) -> None:
    """Remove a stack. Retries, since Swarm does not remove a network while a stopping task uses it."""
    until = time.monotonic() + LONGEST
    while subprocess.run(["docker", "stack", "rm", stack], capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < until, f"{stack} would not go"
        time.sleep(0.5)


def make_operator(operator: AbraOperator, env: Sequence[str]) -> AbraOperator:
    """Make the operator's ABRA_DIR: an empty repository for the recipe, and the app's variables."""
    operator.recipe.mkdir(parents=True)
    operator.env_file.parent.mkdir(parents=True)
    operator.env_file.write_text("\n".join(env) + "\n", encoding="utf-8")
    git(operator.recipe, "init", "-q", "-b", "main")
    return operator
