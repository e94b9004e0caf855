"""What an audit says of upstreams, of the ledger's head, of deployments and of processes."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from attrs import define

from reconciler.audit.audit import AuditRequest, audit
from reconciler.audit.claims import Audit, Claim, ClaimVerdict
from reconciler.audit.deployment import deployment_claims, process_claims
from reconciler.audit.mirror import mirror_claims
from reconciler.audit.programs import Printed
from reconciler.audit.records import ClaimedRelease, ClaimedTags
from state.registry.database import STEPS
from tests.audit.git_world import GitProgram, GitWorld
from tests.folders import scratch_folder
from tests.procfile_apps import wait_for


@pytest.fixture(scope="module")
def promoted() -> Iterator[GitWorld]:
    """A world with one canonical; not to be changed."""
    with scratch_folder() as root:
        world = GitWorld(root)
        world.declare("notes")
        world.release("notes", "1.0.0")
        world.world.run()
        yield world


def of(done: Audit, verdict: ClaimVerdict) -> list[tuple[str, str]]:
    """Return name and reason of the claims with a verdict."""
    return [(claim.about, claim.reason) for claim in done.claims if claim.verdict is verdict]


# ---- upstreams ----


def test_an_upstream_that_cannot_be_reached_is_not_asked_and_nothing_disagrees(promoted: GitWorld) -> None:
    request = AuditRequest(promoted.world.state.root, "", {"notes": "file:///nowhere/notes.git"}, STEPS)
    done = audit(request, GitProgram())
    assert [about for about, _ in of(done, ClaimVerdict.NOT_ASKED)] == ["tag 1.0.0"]
    assert (of(done, ClaimVerdict.DISAGREE), done.exit_code) == ([], 0)


def test_a_recipe_that_is_not_declared_is_not_asked(promoted: GitWorld) -> None:
    done = audit(AuditRequest(promoted.world.state.root, "", {}, STEPS), GitProgram())
    reason = "upstream could not be asked: it is not declared"
    assert of(done, ClaimVerdict.NOT_ASKED) == [("tag 1.0.0", reason)]


def test_remembered_refs_of_the_forge_are_no_claim_and_any_other_ref_disagrees(tmp_path: Path) -> None:
    world = GitWorld(tmp_path)
    world.declare("notes")
    world.release("notes", "1.0.0")
    world.world.run()
    mirror = world.world.state.mirror("notes")
    for name, disagreeing in (("refs/pushed/tags/1.0.0", []), ("refs/other/1.0.0", ["refs/other/1.0.0 was added"])):
        subprocess.run(["git", f"--git-dir={mirror}", "update-ref", name, "refs/tags/1.0.0^{}"], check=True)
        request = AuditRequest(world.world.state.root, "", {}, STEPS)
        assert [reason for _, reason in of(audit(request, GitProgram()), ClaimVerdict.DISAGREE)] == disagreeing


def test_a_tag_that_upstream_moved_or_dropped_disagrees(tmp_path: Path) -> None:
    world = GitWorld(tmp_path)
    world.declare("notes")
    first = world.release("notes", "1.0.0")
    world.world.run()
    second = world.release("notes", "1.0.0")
    moved = f"it is recorded as {first[:12]}, and upstream names {second[:12]}"
    assert of(world.audit(), ClaimVerdict.DISAGREE) == [("tag 1.0.0", moved)]
    world.upstreams["notes"].untag("1.0.0")
    assert of(world.audit(), ClaimVerdict.DISAGREE) == [("tag 1.0.0", "upstream has no such tag")]
    world.upstreams["notes"].tag("v1.0.0", first)
    assert of(world.audit(), ClaimVerdict.DISAGREE) == []


# ---- the ledger's head ----


def test_a_ledger_cut_with_its_head_is_found_only_by_a_head_that_was_kept(promoted: GitWorld, tmp_path: Path) -> None:
    head = promoted.audit().head
    assert head is not None
    state = tmp_path / "state"
    shutil.copytree(promoted.world.state.root, state)
    with closing(sqlite3.connect(state / "canon.db", isolation_level=None)) as connection:
        sql = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'ledger_is_never_cut'").fetchone()[0]
        connection.execute("DROP TRIGGER ledger_is_never_cut")
        connection.execute("DELETE FROM ledger WHERE seq = ?", (head.seq,))
        connection.execute(sql)
        connection.execute(
            "UPDATE ledger_head SET (seq, hash) = (SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1)"
        )
    assert of(promoted.audit(state), ClaimVerdict.DISAGREE) == []
    about, reason = f"ledger: the line with the hash {head.hash[:12]}", "no line has it"
    found = of(promoted.audit(state, head.hash), ClaimVerdict.DISAGREE)
    assert [(about, said.partition(":")[0]) for about, said in found] == [(about, reason)]
    assert of(promoted.audit(head=head.hash), ClaimVerdict.DISAGREE) == []
    assert of(promoted.audit(head=head.hash[:8]), ClaimVerdict.DISAGREE) == []


def test_a_trigger_that_was_dropped_is_named(promoted: GitWorld, tmp_path: Path) -> None:
    shutil.copytree(promoted.world.state.root, tmp_path / "state")
    with closing(sqlite3.connect(tmp_path / "state" / "canon.db")) as connection:
        connection.execute("DROP TRIGGER ledger_is_never_cut")
    found = of(promoted.audit(tmp_path / "state"), ClaimVerdict.DISAGREE)
    assert found == [("registry file", "trigger ledger_is_never_cut is missing")]


def test_a_file_that_is_no_registry_disagrees(promoted: GitWorld, tmp_path: Path) -> None:
    shutil.copytree(promoted.world.state.root, tmp_path / "state")
    (tmp_path / "state" / "canon.db").write_bytes(b"no database at all")
    found = of(promoted.audit(tmp_path / "state"), ClaimVerdict.DISAGREE)
    assert "registry file" in {about for about, _ in found}


def test_an_older_generation_may_be_gone_and_an_unknown_one_may_not_be_there(
    promoted: GitWorld, tmp_path: Path
) -> None:
    shutil.copytree(promoted.world.state.root, tmp_path / "state")
    (tmp_path / "state" / "canonicals" / "notes" / "7").mkdir()
    found = of(promoted.audit(tmp_path / "state"), ClaimVerdict.DISAGREE)
    assert found == [("snapshot 7", "no record mentions canonicals/notes/7")]


# ---- mirrors ----


@define
class GitThatChecked:
    """Answers as git does about a mirror without refs, whose objects `git fsck` checked with this answer."""

    fsck: Printed

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:  # noqa: ARG002  the protocol's
        return self.fsck if "fsck" in arguments else Printed(0, b"", b"")

    def docker(self, *arguments: str) -> Printed:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("fsck", "reason"),
    [
        (Printed(0, b"", b""), ""),
        (Printed(0, b"", b"warning in commit aa: badTimezone: as upstream made it"), ""),
        (Printed(1, b"", b"error in tree aa: fullPathname: as upstream made it"), ""),
        (Printed(1, b"", b""), "git could not check it: it ended with 1"),
        (Printed(-9, b"", b"notice: HEAD points to an unborn branch"), "git could not check it: it ended with -9"),
        (Printed(3, b"", b"error in tree aa: fullPathname: x"), "git could not check it: it ended with 3"),
        (Printed(2, b"missing blob aa", b""), "git finds damage: missing blob aa"),
        (Printed(128, b"", b"fatal: not a git repository"), "git finds damage: fatal: not a git repository"),
        (Printed(None, b"", b""), "git could not check it: no answer"),
    ],
)
def test_a_mirror_agrees_only_if_git_checked_all_of_it(tmp_path: Path, fsck: Printed, reason: str) -> None:
    objects = next(mirror_claims("notes", tmp_path, ClaimedTags({}, None, None), {}, GitThatChecked(fsck)))
    assert (objects.about, objects.reason) == ("mirror: its objects", reason)


# ---- what runs ----

NEWEST = ClaimedRelease("notes", "1.0.0", "c" * 40, 3, ("1.0.0",), "t", "logs/t", "m", (), 0, 0, 0)
FACTS = {"image": "nginx:1@sha256:0123456789ab", "commit": "c" * 40, "number": "1"}


def service(image: str = "nginx:1@sha256:0123456789abcdef", commit: str = "c" * 40) -> Mapping[str, object]:
    spec = {
        "Name": "notes_app",
        "Labels": {"canon.commit": commit},
        "TaskTemplate": {"ContainerSpec": {"Image": image}},
    }
    return {"ID": "1", "Spec": spec}


@define
class DockerThatRuns:
    """Answers as Docker's command does on a swarm with these services; None for one that cannot be reached."""

    services: list[Mapping[str, object]] | None

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:
        raise NotImplementedError

    def docker(self, *arguments: str) -> Printed:
        if self.services is None:
            return Printed(1, b"", b"Cannot connect to the Docker daemon")
        listed = "\n".join(str(each["ID"]) for each in self.services)
        return Printed(0, (listed if "ls" in arguments else json.dumps(self.services)).encode(), b"")


def deployment(
    folder: Path, services: list[Mapping[str, object]] | None, generation: int = 3, missing: str = ""
) -> Claim:
    record = {"generation": generation, "missing": missing, "parts": {"service notes_app": FACTS}, "up_at": None}
    (folder / "notes.json").write_text(json.dumps(record))
    (claim,) = deployment_claims("notes", folder, "", NEWEST, DockerThatRuns(services))
    return claim


def test_a_kept_deployment_agrees_only_with_the_services_that_are_recorded(tmp_path: Path) -> None:
    assert deployment(tmp_path, [service()]).verdict is ClaimVerdict.AGREE
    assert deployment(tmp_path, None).verdict is ClaimVerdict.NOT_ASKED
    assert deployment(tmp_path, [], missing="undeployed for a trial").verdict is ClaimVerdict.AGREE
    said = {
        "gone": deployment(tmp_path, []),
        "image": deployment(tmp_path, [service(image="nginx:2")]),
        "commit": deployment(tmp_path, [service(commit="d" * 40)]),
        "generation": deployment(tmp_path, [service()], generation=2),
        "missing": deployment(tmp_path, [service()], missing="undeployed for a trial"),
    }
    assert {word: (claim.verdict, word in claim.reason) for word, claim in said.items()} == dict.fromkeys(
        said, (ClaimVerdict.DISAGREE, True)
    )


def test_processes_in_a_slot_that_nobody_holds_disagree(tmp_path: Path) -> None:
    slot = tmp_path / "work" / "notes" / "install"
    slot.mkdir(parents=True)
    lock = tmp_path / "work" / "notes" / "lock"
    lock.touch()
    with subprocess.Popen(["sleep", "600"], env={**os.environ, "CANON_SLOT": str(slot)}) as stray:
        try:
            (claim,) = process_claims(tmp_path)
            assert claim.reason == "processes run in work/notes, and nobody holds its lock"
            with subprocess.Popen(["flock", lock, "sleep", "600"]) as holder:
                wait_for(lambda: next(process_claims(tmp_path)).verdict is ClaimVerdict.AGREE, 30)
                holder.kill()
        finally:
            stray.kill()
