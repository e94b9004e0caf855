"""Each promotion keeps a statement that other programs read; it is signed by the fleet's key."""

import json
import subprocess

import pytest

from tests.cli.one_recipe_fleet import SECOND, OneRecipeFleet
from tests.envelopes import opened, validated


def test_a_promotion_keeps_a_statement_on_its_commit(settled: OneRecipeFleet) -> None:
    said = settled.run("evidence", "jot")
    canonical = settled.canonical()
    assert canonical is not None
    statement = validated(json.loads(said.out))
    assert [subject["digest"] for subject in statement["subject"]] == [{"gitCommit": canonical.commit}]
    assert statement["predicate"]["result"] == "PASSED"
    passed = [tier.name for tier in canonical.evidence.tiers if tier.verdict == "pass"]
    assert statement["predicate"]["passedTests"] == passed
    assert {"name": "snapshot manifest", "digest": {"sha256": canonical.seal.manifest}} in statement["predicate"][
        "configuration"
    ]
    assert settled.run("evidence", "jot", "--generation", "7").code == 64


@pytest.mark.needs("ssh-keygen")
def test_with_a_key_it_is_signed_and_without_that_key_nothing_is_promoted(settled: OneRecipeFleet) -> None:
    key, fleet = settled.folder / "key", settled.fleet / "fleet.toml"
    fleet.write_text(fleet.read_text().replace('name = "tiny"', f'name = "tiny"\nsign = "ssh:{key}"'))
    settled.release(SECOND)
    refused = settled.json()
    assert (refused.code, refused.row("jot")["result"]) == (4, "green-not-promoted")
    assert f"evidence cannot be signed with ssh:{key}" in refused.row("jot")["reason"]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    assert settled.json().row("jot")["result"] == "promoted"
    (signature,) = opened(json.loads(settled.run("evidence", "jot").out)).signatures.values()
    listed = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True, check=True)
    assert signature.keyid == listed.stdout.split()[1]
    assert settled.run("audit").code == 0
