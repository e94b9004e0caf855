"""Runs the real `reconcile` as a user does, with a fleet folder and a state folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from state.folder.folder import StateFolder
from tests.expected_documents import answer_errors

BIN = Path(sys.executable).parent
TREE = Path(__file__).parent.parent
LONGEST = 300


@frozen
class ReconcileResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed

    def row(self, recipe: str) -> dict[str, Any]:
        """Return the row of a recipe in a JSON report."""
        rows: list[dict[str, Any]] = self.document["recipes"]
        return next(row for row in rows if row["name"] == recipe)


@define
class CanonCommand:
    """Runs `reconcile` in a folder with `fleet/` and `state/`. `variables` are added to its environment.

    `prefix` is a command that starts `reconcile`, such as setpriv with its options.
    """

    folder: Path
    variables: Mapping[str, str] = field(factory=dict)
    prefix: Sequence[str] = ()

    @property
    def fleet(self) -> Path:
        return self.folder / "fleet"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        folders = {"RECONCILE_FLEET": str(self.fleet), "RECONCILE_STATE": str(self.state)}
        path = f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        # Run the code beside these tests, even where another checkout is installed.
        ours = {"PYTHONPATH": str(TREE)}
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", **ours, **folders, **self.variables}

    def run(self, *words: str, timeout: float = LONGEST) -> ReconcileResult:
        """Run one command and wait until it ends. JSON is checked against its schema. `timeout` is in seconds."""
        done = subprocess.run(
            [*self.prefix, BIN / "reconcile", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert answer_errors(words, done.stdout) == [], done
        return ReconcileResult(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str) -> ReconcileResult:
        return self.run(*words, "-o", "json", "-q")

    def start(self, *words: str, group: int | None = None) -> "subprocess.Popen[str]":
        """Start a command and return while it runs. The caller ends it. `group` is its process group, 0 for its own."""
        return subprocess.Popen(
            [BIN / "reconcile", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=group,
        )

    def shell(self, script: str) -> ReconcileResult:
        """Run lines of shell, as a user would paste them. The first line that fails ends the script."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={key: value for key, value in self.environment.items() if not key.startswith("RECONCILE_")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        return ReconcileResult(done.returncode, done.stdout, done.stderr)


def without_overriding() -> tuple[str, ...]:
    """Return the beginning of a command line by which the modes of files count also for root."""
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def read_document(process: "subprocess.Popen[str]") -> str:
    """Read the JSON document that a running command prints. Fails if the command ends first."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    return "".join(lines)


def wait_for_lock(lock: Path, seconds: int) -> None:
    """Wait until the pass lock is free: git or Docker's client may hold it for a moment after a pass was killed."""
    subprocess.run(["timeout", str(seconds), "flock", str(lock), "true"], check=True)


_BOUND = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'

needs_mounts = pytest.mark.needs("root", "unshare", "mount")


@frozen
class BoundStateFolder:
    """A command that finds its state folder `canon.state` at `path`, where all others find another folder."""

    canon: CanonCommand
    path: Path

    @classmethod
    def at(cls, path: Path, canon: CanonCommand) -> "BoundStateFolder":
        for folder in (path, canon.state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(canon, path)

    def argv(self, *words: str) -> list[str]:
        namespace = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BOUND, "sh"]
        return [*namespace, str(self.canon.state), str(self.path), "reconcile", *words]

    @property
    def environment(self) -> Mapping[str, str]:
        return {**self.canon.environment, "RECONCILE_STATE": str(self.path)}

    @property
    def state(self) -> StateFolder:
        """The state folder, at its path outside the command's mount namespace."""
        return StateFolder(self.canon.state)
