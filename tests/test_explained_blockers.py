import json
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve

from desired.model import CanonicalPolicy, Install
from reconciler.core.explanation import Family
from reconciler.show.documents.explain_document import explain_document
from reconciler.show.documents.report_document import json_text
from state.decisions import Hold
from tests.expected_documents import format_1_schema, schema_errors
from tests.explained_world import ExplainedWorld, first_line
from tests.folders import entries_below
from tests.world import Behaviour


@pytest.fixture
def user(tmp_path: Path) -> ExplainedWorld:
    return ExplainedWorld.settled(tmp_path)


# ---- more than one thing at once ----


def test_all_of_several_blockers_have_to_go_and_none_of_them_alone_is_enough(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2", Behaviour(breaks_lived=True))
    user.world.run()
    user.world.tag("notes", "1.0.0+v1")
    assert "What would change this, all 2 of:" in user.head()
    assert [each.name for each in user.explain().blockers] == ["unmoved", "not-red"]
    user.do("reconcile -r notes --retry notes")
    assert user.explain().family is Family.NEEDS_YOU
    user.do("reconcile accept notes 1.0.0+v1 --reason …")
    assert [each.name for each in user.explain().blockers] == ["not-red"]


def test_an_excepted_recipe_that_also_moved_needs_both(user: ExplainedWorld) -> None:
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], enrolled=False, exception="not now")
    assert [each.name for each in user.explain().blockers] == ["enrolled"]
    assert first_line(user) == "notes: nothing to do"
    user.world.tag("notes", "1.0.0+v1")
    assert [each.name for each in user.explain().blockers] == ["enrolled", "unmoved"]


def test_a_canonical_that_allow_excludes_names_the_line_to_edit(user: ExplainedWorld) -> None:
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], allow="<1")
    assert "`[release] allow` in " in user.head()
    assert "admits 1.0.0+v1; now it is '<1' (you)" in user.head()
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], allow="<2")
    assert first_line(user) == "notes: nothing to do"


def test_a_needed_recipe_without_a_release_is_named_with_the_next_question(user: ExplainedWorld) -> None:
    user.world.declare("accounts")
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], install=Install(needs=("accounts",)))
    user.world.tag("notes", "1.1.0+v2")
    assert "accounts, which it needs, has a release that can be deployed (a pass): reconcile explain accounts" in (
        user.head()
    )
    user.world.tag("accounts", "1.0.0")
    assert user.explain().blockers == ()


def test_a_recipe_that_is_needed_indirectly_and_has_no_release_is_named_too(user: ExplainedWorld) -> None:
    user.world.declare("base")
    user.world.declare("accounts", install=Install(needs=("base",)))
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], install=Install(needs=("accounts",)))
    user.world.tag("accounts", "1.0.0")
    user.world.tag("notes", "1.1.0+v2")
    assert "base, which it needs, has a release that can be deployed (a pass): reconcile explain base" in user.head()
    user.world.tag("base", "1.0.0")
    assert user.explain().blockers == ()


def test_each_change_named_for_a_recipe_in_sync_leads_to_a_new_canonical(user: ExplainedWorld) -> None:
    told = user.explain()
    assert told.family is Family.NOTHING
    assert [change.by for change in told.moved_by] == ["upstream", "this host", "upstream"]
    assert told.next is None
    assert {each.status for each in told.conditions} == {"pass"}
    user.world.tag("notes", "1.0.1")
    assert user.explain().moved_by == ()


# ---- a release that upstream withdrew ----


def test_a_withdrawn_release_names_the_rollback_first_and_it_brings_back_release_and_data(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2")
    user.world.run()
    del user.world.origins["notes"].tags["1.1.0+v2"]
    assert "either it goes back to generation 1 (1.0.0+v1), with the data of that generation (you)" in user.head()
    back = user.commands()[0]
    assert back == "reconcile rollback notes --reason …"
    user.do(back)
    assert (user.explain().family, user.world.lived("notes")) == (Family.WAITS, ("1.0.0+v1",))
    assert [each.name for each in user.explain().blockers] == ["unheld"]


def test_a_generation_whose_release_is_withdrawn_too_is_passed_over(user: ExplainedWorld) -> None:
    user.world.recipes["notes"] = evolve(user.world.recipes["notes"], canonical=CanonicalPolicy(generations=3))
    for version in ("1.1.0+v2", "1.2.0+v3"):
        user.world.tag("notes", version)
        user.world.run()
    for version in ("1.1.0+v2", "1.2.0+v3"):
        del user.world.origins["notes"].tags[version]
    user.do("reconcile accept notes --reason …")
    back = user.commands()[0]
    assert back == "reconcile rollback notes --to 1 --reason …"
    user.do(back)
    assert (user.version(), user.explain().family) == ("1.0.0+v1", Family.WAITS)


def test_a_damaged_generation_is_not_offered(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2")
    user.world.run()
    del user.world.origins["notes"].tags["1.1.0+v2"]
    (user.world.state.canonical("notes", 1) / "manifest.json").write_bytes(b"not what was sealed")
    assert user.commands()[0] == "reconcile forget notes --reason …"


# ---- as JSON ----


def test_every_explanation_is_a_document_of_its_schema(user: ExplainedWorld) -> None:
    schema = format_1_schema("explain")
    user.world.declare("wiki")
    user.world.tag("wiki", "v2")
    user.world.tag("notes", "1.1.0+v2", Behaviour(breaks_lived=True))
    for name in ("notes", "wiki", "notes"):
        document = json.loads(json_text(explain_document([user.explain(name)])))
        assert list(schema_errors(document, schema, schema)) == []
        user.world.run()


# ---- what a look at it rests on ----


def test_without_asking_upstream_the_recorded_answer_and_its_age_are_explained(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2")
    assert user.explain(ask=False).family is Family.NOTHING
    assert user.explain().family is Family.WAITS
    fresh = user.explain(ask=False).freshness
    assert (fresh.asked, fresh.seen_at is not None, fresh.same_since is not None) == (False, True, True)
    assert user.explain().freshness.asked


def test_explaining_changes_nothing(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2", Behaviour(breaks_lived=True))
    user.world.run()
    before, deployed = entries_below(user.world.root), list(user.world.deployed)
    user.text()
    user.text(ask=False)
    assert entries_below(user.world.root) == before
    assert user.world.deployed == deployed


# ---- held by a person ----


def test_a_hold_is_nothing_to_do_until_a_person_resumes_it_or_waits_for_its_end(user: ExplainedWorld) -> None:
    registry = user.world.host().registry
    held = Hold("notes", "the team is away", "ada", user.world.now)
    registry.set_hold(held, [])
    user.world.tag("notes", "1.1.0+v2")
    assert first_line(user) == "notes: nothing to do"
    assert "its hold ends now (you): reconcile resume notes" in user.head()
    registry.end_decisions([held], [])
    registry.set_hold(evolve(held, until=date(2026, 12, 1)), [])
    assert first_line(user) == "notes: waits by itself"
    assert "either its hold ends on 2026-12-01 (a pass)" in user.head()
