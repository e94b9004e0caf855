"""One changed byte or row of a state folder is found and named; where nothing was changed, nothing is found."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from reconciler.audit.claims import Claim, ClaimVerdict
from state.decisions import Hold
from state.records import LedgerEntry
from state.registry.registry import SqliteRegistry
from tests.audit.git_world import GitWorld
from tests.audit.tampering import TAMPERINGS
from tests.folders import scratch_folder
from tests.world import Behaviour

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def lived() -> Iterator[GitWorld]:
    """A world with two canonicals of two generations, a red release, a hold, and annotated tags."""
    with scratch_folder() as root:
        lived = GitWorld(root)
        for name in ("notes", "wiki"):
            lived.declare(name)
            lived.release(name, "1.0.0")
        lived.world.run()
        lived.release("notes", "1.1.0", annotated=True)
        lived.release("wiki", "1.1.0", annotated=True)
        lived.world.run()
        lived.release("wiki", "1.2.0", Behaviour(breaks_lived=True))
        lived.world.run()
        hold = Hold("notes", "until Monday", "ada", NOW)
        SqliteRegistry(lived.world.state.database).set_hold(
            hold, [LedgerEntry(NOW, "held", "notes", {"reason": hold.reason})]
        )
        yield lived


def disagreeing(lived: GitWorld, state: Path) -> list[Claim]:
    return [claim for claim in lived.audit(state).claims if claim.verdict is ClaimVerdict.DISAGREE]


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_every_tampering_is_found_and_named(lived: GitWorld, kind: str) -> None:
    tamper, times = TAMPERINGS[kind]
    for seed in range(times):
        with scratch_folder() as folder:
            state = folder / "state"
            shutil.copytree(lived.world.state.root, state)
            done = tamper(state, Random(f"{kind} {seed}"))  # noqa: S311  to be drawn again in each run
            found = disagreeing(lived, state)
            named = [claim for claim in found if all(word in f"{claim}" for word in done.words)]
            assert named, (seed, done, found)


def test_an_audit_of_unchanged_records_finds_nothing(lived: GitWorld, tmp_path: Path) -> None:
    shutil.copytree(lived.world.state.root, tmp_path / "copy")
    assert disagreeing(lived, tmp_path / "copy") == []
    assert disagreeing(lived, lived.world.state.root) == []
