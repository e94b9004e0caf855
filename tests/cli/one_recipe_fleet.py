"""The real command over a fleet of one tiny recipe, `jot`: what the tests of the face share."""

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, evolve, frozen

from state.records import Canonical
from state.registry.registry import SqliteRegistry
from tests import tiny_fleet
from tests.expected_documents import format_1_schema, schema_errors
from tests.procfile_apps import wait_for
from tests.reconcile_command import CanonCommand, CommandResult, look_of
from tests.repositories import UpstreamRepository

FIRST, SECOND, THIRD = "1.0.0+v1", "1.1.0+v2", "1.2.0+v3"
ERROR_KEYS = {"file", "line", "column", "message", "hint"}
SCHEMA = format_1_schema()

# Says that it has come so far, and waits until it is let go.
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
    """The record, the snapshots with all their times, and the mirror's tags."""

    canonical: Canonical | None
    snapshots: dict[str, tuple[object, ...]]
    tags: dict[str, str]

    def without_tags(self) -> "PromotedState":
        """What must not change where a release was fetched and not promoted."""
        return evolve(self, tags={})


@define
class OneRecipeFleet(CanonCommand):
    """`reconcile` with a fleet that declares `jot`, and jot's upstream beside it."""

    @property
    def upstream(self) -> UpstreamRepository:
        return UpstreamRepository(self.folder / "upstreams" / "jot.git")

    @property
    def recipe(self) -> Path:
        """The recipe's folder in the fleet."""
        return self.fleet / "recipes" / "jot"

    def release(self, version: str, **files: str) -> str:
        """Publish a release whose app is the tiny one, but for `files`; returns its commit."""
        content = {name.replace("_", "."): text.encode() for name, text in files.items()}
        whole = {"Procfile": tiny_fleet.PROCFILE, "app.py": tiny_fleet.APP, "VERSION": version.encode(), **content}
        commit = self.upstream.commit(whole)
        self.upstream.tag(version)
        return commit

    def declare(self, more: str = "", upstream: str = "", **scripts: str) -> None:
        """Declare jot anew: `more` tables beside the tiny ones, and `scripts` for a shell in the recipe's folder."""
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
        """Declare jot so that a command stops within this tier; "raised" is the proof before a promotion."""
        at, place = ("jot", "custom.py") if tier == "custom" else (f"/{tier}/", "check.py")
        wait = WAIT.format(at=at, reached=str(self.folder / "reached"), go=str(self.folder / "go"))
        self.declare('[custom]\nrun = [["python3", "-I", "-S", "custom.py"]]\n')
        (self.recipe / "custom.py").touch()
        (self.recipe / place).write_text(wait + (self.recipe / place).read_text())

    def json(self, *words: str) -> CommandResult:
        """Run with `-o json -q`, and hold what is printed against format 1."""
        said = self.run(*words, "-o", "json", "-q")
        check_format(said)
        return said

    def row_of(self, *words: str) -> dict[str, Any]:
        return self.json(*words).row("jot")

    def running(self) -> list[int]:
        """Processes that bear the mark of a slot below this state folder."""
        mark = f"CANON_SLOT={self.state}/".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)]

    def assert_nothing_is_left(self) -> None:
        assert self.running() == []
        assert list((self.state / "work").iterdir()) == []

    def tried(self) -> list[str]:
        """Ids of the trials that are logged."""
        return sorted(path.name for path in (self.state / "logs" / "jot").glob("*Z"))

    @property
    def registry(self) -> SqliteRegistry:
        return SqliteRegistry(self.state / "canon.db")

    def canonical(self) -> Canonical | None:
        return self.registry.read().canonicals.get("jot")

    def promoted_state(self) -> PromotedState:
        """All that must not change where nothing is promoted."""
        tags = {name: oid for name, oid in self.mirrored().items() if name.startswith("refs/tags/")}
        return PromotedState(self.canonical(), look_of(self.state / "canonicals"), tags)

    def mirrored(self) -> dict[str, str]:
        """The refs of our own copy of upstream."""
        return UpstreamRepository(self.state / "mirrors" / "jot.git").refs()

    def lines(self) -> list[str]:
        """What the data of a raised copy has seen, each once: the versions that ran on it, and the mark."""
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


def check_format(said: CommandResult) -> None:
    """One object in ASCII, with the exit code that the command left with, and every key of format 1."""
    assert said.out.isascii(), said.out
    assert said.document["format"] == 1
    if "recipes" in said.document:
        assert list(schema_errors(said.document, SCHEMA, SCHEMA)) == []
    if said.code >= 64 or "errors" in said.document:
        assert all(error.keys() == ERROR_KEYS for error in said.document["errors"])
    if "url" not in said.document:
        assert said.document["exit_code"] == said.code


def make_one_recipe_fleet(folder: Path) -> OneRecipeFleet:
    """A fleet with one recipe that has one release, and no state yet."""
    jot = OneRecipeFleet(folder)
    UpstreamRepository.make(jot.upstream.path)
    jot.declare()
    jot.release(FIRST)
    return jot


def copy_fleet(jot: OneRecipeFleet, folder: Path) -> OneRecipeFleet:
    """The same fleet, upstream and state in another folder."""
    shutil.copytree(jot.folder, folder, symlinks=True, dirs_exist_ok=True)
    copy = OneRecipeFleet(folder)
    copy.declare()
    return copy


@contextmanager
def paused(jot: OneRecipeFleet, tier: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A command that waits within this tier; it is gone afterwards, with all it started."""
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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
