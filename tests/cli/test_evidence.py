"""Each promotion keeps a statement that other programs read; it is signed by the fleet's key."""

import json
import subprocess

import pytest

from tests.cli.one_recipe_fleet import SECOND, OneRecipeFleet
from tests.envelopes import opened, validated
from tests.reconcile_command import ReconcileResult
from tests.state.promotions import spoil


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


def commit_in(evidence: ReconcileResult) -> str:
    """Return the commit that the printed statement is about."""
    assert evidence.code == 0, evidence
    [subject] = validated(json.loads(evidence.out))["subject"]
    return str(subject["digest"]["gitCommit"])


def test_after_rollbacks_it_is_the_statement_on_the_commit_that_is_the_canonical(settled: OneRecipeFleet) -> None:
    first = commit_in(settled.run("evidence", "jot"))
    second = settled.release(SECOND)
    assert settled.run("-q").code == 0
    assert commit_in(settled.run("evidence", "jot")) == second
    # Generation 3 is a copy of 1, generation 4 of 2, and generation 5 of 3.
    for to, commit, made in (("1", first, "3"), ("2", second, "4"), ("3", first, "5")):
        assert settled.run("rollback", "jot", "--to", to, "--reason", "why", "-q").code == 0
        for words in ((), ("--generation", made)):
            assert commit_in(settled.run("evidence", "jot", *words)) == commit, (to, words)
    assert commit_in(settled.run("evidence", "jot", "--generation", "2")) == second


def test_of_what_was_forgotten_nothing_is_printed(settled: OneRecipeFleet) -> None:
    commit, away = commit_in(settled.run("evidence", "jot")), settled.folder / "away"
    settled.recipe.rename(away)
    assert settled.run("forget", "jot", "--reason", "it is replaced", "-q").code == 0
    by_default, first = settled.run("evidence", "jot"), settled.run("evidence", "jot", "--generation", "1")
    assert (by_default.code, by_default.out, "jot has no canonical" in by_default.err) == (64, "", True)
    assert (first.code, first.out, "jot has no evidence of generation 1" in first.err) == (64, "", True)
    away.rename(settled.recipe)
    assert settled.run("-q").code == 0
    assert commit_in(settled.run("evidence", "jot")) == commit
    assert settled.run("evidence", "jot", "--generation", "1").code == 64


def test_a_record_of_the_canonical_that_cannot_be_read_is_not_guessed(settled: OneRecipeFleet) -> None:
    first = settled.run("evidence", "jot")
    spoil(settled.registry.path, 1)
    by_default = settled.run("evidence", "jot")
    assert (by_default.code, by_default.out, "jot: its record cannot be read" in by_default.err) == (1, "", True)
    assert settled.run("evidence", "jot", "--generation", "1").out == first.out


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
