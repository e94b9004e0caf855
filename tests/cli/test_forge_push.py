"""A pass pushes its mirror to the team's forge: a real git repository that may be down, refuse, or be changed there."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.git_servers import free_port
from tests.procfile_apps import wait_for
from tests.repositories import UpstreamRepository

REFUSING_MAIN = '#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "the branch is protected" >&2; exit 1; }\n'


@pytest.fixture
def forge(settled: OneRecipeFleet, tmp_path: Path) -> UpstreamRepository:
    """Make the forge's repository, and declare it. It has a ref and a tag of its own, which Canon does not know."""
    repository = UpstreamRepository.make(tmp_path / "forge" / "jot.git")
    repository.git("update-ref", "refs/pull/1/head", repository.commit_tree(repository.tree({"x": b"x"})))
    repository.git("update-ref", "refs/tags/internal", repository.refs()["refs/pull/1/head"])
    _declare_forge(settled, f"file://{tmp_path}/forge/{{recipe}}.git")
    return repository


def _declare_forge(jot: OneRecipeFleet, address: str) -> None:
    with (jot.fleet / "fleet.toml").open("a") as file:
        file.write(f'[mirror]\npush = "{address}"\n')


def _passed(jot: OneRecipeFleet, code: int = 0) -> tuple[dict[str, Any], list[str]]:
    """Run a pass. Return jot's row and the notes."""
    done = jot.json()
    assert done.code == code
    return done.row("jot"), done.document["notes"]


def test_a_pass_pushes_main_and_release_tags_and_leaves_all_else(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    own = forge.refs()
    row, notes = _passed(settled)
    assert (row["push"], notes) == ("pushed", [])
    assert forge.refs() == {**own, **settled.upstream.refs()}
    row, _ = _passed(settled)
    assert row["push"] == "equal"
    settled.release(SECOND)
    row, _ = _passed(settled)
    assert row["result"] == "promoted"
    assert (row["push"], forge.refs()) == ("pushed", {**own, **settled.upstream.refs()})


def test_a_forge_that_is_gone_is_a_note_and_never_a_verdict(settled: OneRecipeFleet, forge: UpstreamRepository) -> None:
    forge.path.rename(forge.path.with_name("gone"))
    row, notes = _passed(settled)
    assert (row["push"], row["state"]) == ("failed", "intact")
    assert notes[0].startswith("jot: mirror: push failed: ")
    assert "does not appear to be a git repository" in notes[0]
    assert "push failed" in settled.run().out


def test_a_tag_that_was_moved_or_dropped_at_the_forge_is_left_as_it_is(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    _passed(settled)
    settled.release(SECOND)
    _passed(settled)
    forge.tag(FIRST, forge.refs()["refs/tags/internal"])
    forge.untag(SECOND)
    before = forge.refs()
    row, (note,) = _passed(settled)
    assert row["push"] == "failed"
    assert f"the tag {FIRST} names {forge.refs()[f'refs/tags/{FIRST}'][:7]} there" in note
    assert f"the tag {SECOND} was there before, and is gone" in note
    assert forge.refs() == before


def test_a_person_can_repair_the_forge_with_git_alone(settled: OneRecipeFleet, forge: UpstreamRepository) -> None:
    _passed(settled)
    forge.untag(FIRST)
    assert _passed(settled)[0]["push"] == "failed"
    forge.tag(FIRST, settled.upstream.refs()[f"refs/tags/{FIRST}"])
    row, notes = _passed(settled)
    assert (row["push"], notes) == ("equal", [])


def test_a_protected_branch_is_named_and_the_tags_still_arrive(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    hook = forge.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(REFUSING_MAIN)
    hook.chmod(0o755)
    row, (note,) = _passed(settled)
    assert (row["push"], row["state"]) == ("failed", "intact")
    assert "the branch main was refused: hook declined" in note
    assert f"refs/tags/{FIRST}" in forge.refs()
    assert "refs/heads/main" not in forge.refs()


def test_a_main_branch_with_work_of_its_own_is_not_overwritten(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    theirs = forge.commit({"own": b"work"})
    _, (note,) = _passed(settled)
    assert "the branch main was refused: " in note
    assert forge.head() == theirs


@pytest.mark.needs("root", "sshd")
def test_a_mirror_is_pushed_over_ssh(settled: OneRecipeFleet, tmp_path: Path) -> None:
    repository = UpstreamRepository.make(tmp_path / "ssh" / "jot.git")
    with _ssh_server(tmp_path / "ssh") as (port, command):
        _declare_forge(settled, f"ssh://root@127.0.0.1:{port}{tmp_path}/ssh/{{recipe}}.git")
        fleet = settled.fleet / "fleet.toml"
        fleet.write_text(fleet.read_text().replace("protocols = [", 'protocols = ["ssh", '))
        with fleet.open("a") as file:
            file.write('[environment]\npass = ["GIT_SSH_COMMAND"]\n')
        settled.variables = {"GIT_SSH_COMMAND": command}
        row, notes = _passed(settled)
        assert (row["push"], notes) == ("pushed", [])
        assert repository.refs() == settled.upstream.refs()
        settled.variables = {"GIT_SSH_COMMAND": command.replace("/ssh/key", "/ssh/no-key")}
        row, (note,) = _passed(settled)
        assert row["push"] == "failed"
        assert "Permission denied (publickey" in note


@contextmanager
def _ssh_server(folder: Path) -> Iterator[tuple[int, str]]:
    """Run an sshd on a loopback port that lets in one key. Yield the port, and the ssh command that uses this key."""
    port, host_key, key = free_port(), folder / "host-key", folder / "key"
    for path in (host_key, key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    options = [f"HostKey={host_key}", f"AuthorizedKeysFile={key}.pub", "StrictModes=no", "PidFile=none", "UsePAM=no"]
    arguments = [part for option in options for part in ("-o", option)]
    listen = ["-o", f"ListenAddress=127.0.0.1:{port}", "-o", "PermitRootLogin=prohibit-password"]
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd"
    with subprocess.Popen(
        [program, "-D", "-e", "-f", "/dev/null", *arguments, *listen], stderr=subprocess.PIPE
    ) as sshd:
        try:
            wait_for(lambda: _is_open(port))
            known = "-oUserKnownHostsFile=/dev/null -oStrictHostKeyChecking=no -oLogLevel=ERROR -oIdentitiesOnly=yes"
            yield port, f"ssh -F /dev/null -oBatchMode=yes {known} -oIdentityFile={key}"
        finally:
            sshd.terminate()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_dry_run_pushes_nothing(settled: OneRecipeFleet, forge: UpstreamRepository) -> None:
    before = forge.refs()
    settled.run("--dry-run")
    settled.run("drift")
    assert forge.refs() == before


def test_a_missing_token_is_named_and_is_no_verdict(settled: OneRecipeFleet) -> None:
    fleet = settled.fleet / "fleet.toml"
    fleet.write_text(fleet.read_text().replace("protocols = [", 'protocols = ["https", '))
    _declare_forge(settled, "https://127.0.0.1:1/{recipe}.git")
    with fleet.open("a") as file:
        file.write('token = "forge-token"\n')
    row, (note,) = _passed(settled)
    assert (row["push"], row["state"]) == ("failed", "intact")
    assert "the credential forge-token is only there in a unit with LoadCredential=forge-token:PATH" in note


def test_a_proof_asks_the_forge_and_certifies_only_that_it_lacks_nothing(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    before = forge.refs()
    due = settled.json("prove")
    assert (due.code, due.document["proved"]) == (2, False)
    assert due.document["unsettled"] == [
        {"recipe": "jot", "reason": f"its mirror would be pushed: the forge lacks refs/heads/main, refs/tags/{FIRST}"}
    ]
    assert forge.refs() == before
    _passed(settled)
    assert settled.json("prove").code == 0
    forge.git("update-ref", "-d", "refs/heads/main")
    assert settled.json("prove").code == 2
    forge.path.rename(forge.path.with_name("gone"))
    unknown = settled.json("prove")
    assert (unknown.code, [row["recipe"] for row in unknown.document["unseen"]]) == (1, ["jot"])


def test_a_tag_that_no_pass_would_push_since_somebody_changed_it_on_the_forge_ends_no_proof(
    settled: OneRecipeFleet, forge: UpstreamRepository
) -> None:
    _passed(settled)
    forge.tag(FIRST, forge.refs()["refs/tags/internal"])
    before = forge.refs()
    assert settled.json("prove").code == 0
    _passed(settled)
    assert forge.refs() == before
