"""Where nobody tampered an audit finds nothing, whatever passes did, and wherever one was killed."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.audit.audit import AuditRequest, audit
from reconciler.audit.claims import Audit, Claim, ClaimVerdict
from state.records import LedgerEntry
from state.registry.database import STEPS
from state.registry.registry import SqliteRegistry
from tests.audit.git_world import GitProgram, GitWorld
from tests.folders import scratch_folder
from tests.port_calls import CallRecorder, KillPoint, killed_pass
from tests.world import Behaviour, World

ACTS = ("release", "red", "annotated", "older", "commit", "twin", "delete", "forget", "mirror lost", "pass")
ACT = st.sampled_from(ACTS)


def disagreeing(done: Audit) -> list[Claim]:
    return [claim for claim in done.claims if claim.verdict is ClaimVerdict.DISAGREE]


def act(world: GitWorld, what: str, number: int) -> None:
    """Change the world; `number` is higher than in every act before."""
    repository, version = world.upstreams["notes"], f"2.{number}.0"
    match what:
        case "release" | "red" | "annotated":
            behaviour = Behaviour(passes_custom=what != "red")
            world.release("notes", version, behaviour, annotated=what == "annotated")
        case "older":
            world.release("notes", f"0.{number}.0")
        case "commit":
            repository.commit()
        case "twin":
            repository.tag(f"v{version}")
            world.world.behaviours[repository.head() or ""] = Behaviour()
        case "delete":
            repository.untag(f"0.{number - 1}.0")
        case "forget":
            recipe = world.world.recipes.pop("notes")
            now = datetime(2026, 11, 2, tzinfo=UTC)
            entry = LedgerEntry(now, "forgotten", "notes", {"reason": "x"})
            shutil.rmtree(world.world.state.generations("notes"), ignore_errors=True)
            shutil.rmtree(world.world.state.mirror("notes"), ignore_errors=True)
            SqliteRegistry(world.world.state.database).forget("notes", [entry])
            world.world.recipes["notes"] = recipe
        case "mirror lost":
            shutil.rmtree(world.world.state.mirror("notes"), ignore_errors=True)
            world.world.run()
        case _:
            world.world.run()


# One example takes as long as some hundred of a pure function.
@settings(max_examples=max(5, settings().max_examples // 20))
@given(acts=st.lists(ACT, min_size=1, max_size=5))
def test_after_any_passes_every_claim_agrees(acts: Sequence[str]) -> None:
    with scratch_folder() as root:
        world = GitWorld(root)
        world.declare("notes")
        world.release("notes", "1.0.0")
        world.world.run()
        for number, what in enumerate(acts):
            act(world, what, number)
            if what != "forget":
                world.world.run()
            assert disagreeing(world.audit()) == [], what


def without_git(world: World) -> list[Claim]:
    """Return the claims that disagree in a world whose mirrors are in memory, without those about mirrors."""
    request = AuditRequest(world.state.root, "", {}, STEPS)
    return [claim for claim in disagreeing(audit(request, GitProgram())) if not claim.about.startswith("mirror")]


def test_wherever_a_pass_is_killed_every_claim_agrees_before_the_next_one() -> None:
    with scratch_folder() as root:
        template = World(root / "template")
        template.root.mkdir()
        template.declare("notes")
        template.tag("notes", "1.0.0")
        template.run()
        template.tag("notes", "1.1.0")
        whole = template.copy(root / "whole")
        recorder = whole.wrap = CallRecorder()
        whole.run()
        lasting = [number for number, call in enumerate(recorder.calls, 1) if call.port in {"registry", "snapshots"}]
        for number in lasting:
            world = template.copy(root / f"{number}")
            assert killed_pass(world, KillPoint(number, after=True))
            assert without_git(world) == [], recorder.calls[number - 1]
