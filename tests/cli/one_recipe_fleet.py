"""Runs the real command over a fleet with one tiny recipe, `jot`."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from attrs import define, evolve, frozen

from state.records import Canonical
from state.registry.registry import SqliteRegistry
from tests import tiny_fleet
from tests.child_processes import slot_processes
from tests.expected_documents import answer_errors
from tests.folders import entries_below
from tests.procfile_apps import wait_for
from tests.reconcile_command import CanonCommand, ReconcileResult
from tests.repositories import UpstreamRepository

FIRST, SECOND, THIRD = "1.0.0+v1", "1.1.0+v2", "1.2.0+v3"
ERROR_KEYS = {"file", "line", "column", "message", "hint"}

LEDGER = tuple(f'INSERT INTO "{table}" ' for table in ("ledger", "ledger_head"))

# Creates the file `reached` and waits for the file `go`.
WAIT = """\
import os
import time
if {at!r} in os.getcwd():
    open({reached!r}, "w").close()
    while not os.path.exists({go!r}):
        time.sleep(0.05)
"""


@frozen
class PromotedState:
    """The canonical's record, the snapshots with their times, and the mirror's tags."""

    canonical: Canonical | None
    snapshots: dict[str, str]
    tags: dict[str, str]

    def without_tags(self) -> "PromotedState":
        """Return the part that does not change when a release is fetched and not promoted."""
        return evolve(self, tags={})


@define
class OneRecipeFleet(CanonCommand):
    """`reconcile` with a fleet that declares `jot`, and with jot's upstream."""

    @property
    def upstream(self) -> UpstreamRepository:
        return UpstreamRepository(self.folder / "upstreams" / "jot.git")

    @property
    def recipe(self) -> Path:
        """The recipe's folder in the fleet."""
        return self.fleet / "recipes" / "jot"

    def release(self, version: str, **files: str) -> str:
        """Publish a release of the tiny app with `files` added or replaced. Returns the commit."""
        content = {name.replace("_", "."): text.encode() for name, text in files.items()}
        whole = {"Procfile": tiny_fleet.PROCFILE, "app.py": tiny_fleet.APP, "VERSION": version.encode(), **content}
        commit = self.upstream.commit(whole)
        self.upstream.tag(version)
        return commit

    def declare(self, more: str = "", upstream: str = "", **scripts: str) -> None:
        """Rewrite jot's declaration, with `more` appended, and `scripts` as shell scripts in the recipe's folder."""
        shutil.rmtree(self.recipe, ignore_errors=True)
        self.recipe.mkdir(parents=True)
        (self.fleet / "fleet.toml").write_text(tiny_fleet.FLEET)
        url = upstream or f"file://{self.upstream.path}"
        (self.recipe / "recipe.toml").write_text(tiny_fleet.RECIPE.format(upstream=url) + more)
        (self.recipe / "mark.py").write_text(tiny_fleet.MARK)
        (self.recipe / "check.py").write_text(tiny_fleet.CHECK)
        for name, text in scripts.items():
            (self.recipe / f"{name}.sh").write_text(text)

    def custom(self, script: str) -> None:
        """Declare jot with this shell script as its custom test."""
        self.declare('[custom]\nrun = [["sh", "custom.sh"]]\n', custom=script)

    def pause(self, tier: str) -> None:
        """Declare jot so that a command pauses in this tier. "raised" is the deployment before a promotion."""
        at, place = ("jot", "custom.py") if tier == "custom" else (f"/{tier}/", "check.py")
        wait = WAIT.format(at=at, reached=str(self.folder / "reached"), go=str(self.folder / "go"))
        self.declare('[custom]\nrun = [["python3", "-I", "-S", "custom.py"]]\n')
        (self.recipe / "custom.py").touch()
        (self.recipe / place).write_text(wait + (self.recipe / place).read_text())

    def json(self, *words: str) -> ReconcileResult:
        """Run with `-o json -q`, and check the output against format 1."""
        said = self.run(*words, "-o", "json", "-q")
        check_format(said, *words)
        return said

    def row_of(self, *words: str) -> dict[str, Any]:
        return self.json(*words).row("jot")

    def running(self) -> list[int]:
        """Return the pids of processes that are marked with a slot of this state folder."""
        return slot_processes(self.state)

    def assert_nothing_is_left(self) -> None:
        assert self.running() == []
        assert list((self.state / "work").iterdir()) == []

    def tried(self) -> list[str]:
        """Return the ids of the logged trials."""
        return sorted(path.name for path in (self.state / "logs" / "jot").glob("*Z"))

    @property
    def registry(self) -> SqliteRegistry:
        return SqliteRegistry(self.state / "canon.db")

    def canonical(self) -> Canonical | None:
        return self.registry.read().canonicals.get("jot")

    def promoted_state(self) -> PromotedState:
        """Return all that must not change when nothing is promoted."""
        tags = {name: oid for name, oid in self.mirrored().items() if name.startswith("refs/tags/")}
        return PromotedState(self.canonical(), entries_below(self.state / "canonicals"), tags)

    def remembered(self) -> str:
        """Return a hash of all that passes decide by: every table of the registry but those of the ledger."""
        with closing(sqlite3.connect(self.state / "canon.db")) as registry:
            dump = list(registry.iterdump())
        rows = [line for line in dump if not line.startswith(LEDGER)]
        assert any(line.startswith('INSERT INTO "canonical" ') for line in rows)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    def propose(self, ref: str, **files: str) -> str:
        """Propose the tiny app with `files` replaced: a commit that only `ref` names, such as "refs/pull/7/head"."""
        content = {name.replace("_", "."): text.encode() for name, text in files.items()}
        whole = {"Procfile": tiny_fleet.PROCFILE, "app.py": tiny_fleet.APP, "VERSION": b"proposed", **content}
        commit = self.upstream.commit_tree(self.upstream.tree(whole))
        self.upstream.git("update-ref", ref, commit)
        return commit

    def mirrored(self) -> dict[str, str]:
        """Return the refs of the mirror."""
        return UpstreamRepository(self.state / "mirrors" / "jot.git").refs()

    def lines(self) -> list[str]:
        """Return the lines in the data of a raised copy, each once: versions that ran on it, and the mark."""
        copy = self.start("raise", "jot", "--for", "5m")
        try:
            assert copy.stdout is not None
            url = copy.stdout.readline().split()[3:4]
            assert url, copy.communicate()[1]
            with urllib.request.urlopen(url[0], timeout=60) as answer:  # noqa: S310  an address that Canon printed
                return list(dict.fromkeys(answer.read().decode().split()))
        finally:
            copy.terminate()
            copy.communicate()
            assert copy.returncode == 0
            self.assert_nothing_is_left()


def check_format(said: ReconcileResult, *words: str) -> None:
    """Check that the output of the command line `words` is one ASCII object of format 1 with its exit code."""
    assert answer_errors((*words, "-o", "json"), said.out) == []
    assert said.out.isascii(), said.out
    assert said.document["format"] == 1
    if said.code >= 64 or "errors" in said.document:
        assert all(error.keys() == ERROR_KEYS for error in said.document["errors"])
    if "url" not in said.document:
        assert said.document["exit_code"] == said.code


def make_one_recipe_fleet(folder: Path) -> OneRecipeFleet:
    """Make a fleet with one recipe that has one release, and no state yet."""
    jot = OneRecipeFleet(folder)
    UpstreamRepository.make(jot.upstream.path)
    jot.declare()
    jot.release(FIRST)
    return jot


def copy_fleet(jot: OneRecipeFleet, folder: Path) -> OneRecipeFleet:
    """Copy the fleet, the upstream and the state to another folder."""
    shutil.copytree(jot.folder, folder, symlinks=True, dirs_exist_ok=True)
    copy = OneRecipeFleet(folder)
    copy.declare()
    return copy


@contextmanager
def paused(jot: OneRecipeFleet, tier: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a command that pauses in this tier. At the end it and all that it started are killed."""
    jot.pause(tier)
    command = jot.start(*words)
    try:
        wait_for(lambda: (jot.folder / "reached").exists() or command.poll() is not None, 120)
        assert command.poll() is None, command.communicate()
        yield command
    finally:
        command.kill()
        command.communicate()
        (jot.folder / "reached").unlink(missing_ok=True)
        for pid in jot.running():
            os.kill(pid, 9)
