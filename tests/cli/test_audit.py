"""`reconcile audit` says for each claim of the records whether it agrees."""

import sqlite3
from contextlib import closing
from typing import Any

from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.ledger_lines import ledger_lines


def document(jot: OneRecipeFleet, *words: str) -> dict[str, Any]:
    """Run the audit, and return its JSON document."""
    return jot.json("audit", *words).document


def test_an_untouched_state_agrees_in_every_claim(settled: OneRecipeFleet) -> None:
    said = document(settled)
    assert {claim["verdict"] for claim in said["claims"]} == {"agree"}
    assert said["head"]["seq"] == len(ledger_lines(settled.registry))
    text = settled.run("audit").out
    assert f"line {said['head']['seq']} of the ledger has the hash {said['head']['hash']}" in text
    assert (
        text.splitlines()[-1] == f"{len(said['claims'])} claims: {len(said['claims'])} agree, 0 disagree, 0 not asked"
    )
    wide = settled.run("audit", "-o", "wide").out
    assert [claim["claim"] for claim in said["claims"] if claim["claim"] not in wide] == []
    assert document(settled, "--head", said["head"]["hash"])["exit_code"] == 0


def test_a_moved_ref_of_the_mirror_and_a_changed_row_are_named_with_exit_code_3(settled: OneRecipeFleet) -> None:
    packed = settled.state / "mirrors" / "jot.git" / "packed-refs"
    packed.write_text(packed.read_text().replace("refs/tags/1.0.0", "refs/tags/1.0.9"))
    with closing(sqlite3.connect(settled.state / "canon.db", isolation_level=None)) as connection:
        connection.execute("UPDATE memory SET digest = digest || 'x'")
    found = {claim["claim"]: claim for claim in document(settled)["claims"] if claim["verdict"] == "disagree"}
    assert found.keys() == {"memory", "mirror: its release tags"}
    assert "tag 1.0.0+v1 is missing" in found["mirror: its release tags"]["reason"]
    said = settled.run("audit")
    assert said.code == 3
    assert [line.split()[:2] for line in said.out.splitlines() if "disagree " in line] == [["jot", "disagree"]] * 2


def test_a_head_that_no_line_has_disagrees_and_a_text_that_is_no_hash_is_refused(settled: OneRecipeFleet) -> None:
    said = document(settled, "--head", "0123456789abcdef")
    assert said["exit_code"] == 3
    assert [claim["claim"] for claim in said["claims"] if claim["verdict"] == "disagree"] == [
        "ledger: the line with the hash 0123456789ab"
    ]
    refused = settled.run("audit", "--head", "HEAD~1")
    assert (refused.code, refused.err.splitlines()[0]) == (64, "reconcile: --head HEAD~1 is no hash of a ledger's line")
