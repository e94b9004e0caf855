import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Release
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.outcome import Result
from reconciler.core.population import Population
from reconciler.core.report import ReportBucket, ReportCommand
from reconciler.core.tier_results import Verdict
from reconciler.ports.app import RunningApp
from reconciler.show.documents import command_documents as answers
from reconciler.show.documents.command_documents import (
    error_document,
    logs_document,
    message_document,
    raised_document,
    status_document,
    trial_document,
)
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import json_text, report_document
from tests import reports
from tests.expected_documents import format_1_schema, golden_text, schema_errors
from tests.reports import GATE, calm_report, pass_report, plan_report, run_of
from tests.status_rows import status_rows
from tests.values import RED_TIERS, canonical_of, finding_of, step_left, trial_of

ALL = Population(declared=4, selected=4, enrolled=3, excepted=1, observed=4, decided=4, reported=4)
BY_HAND = Condition("not-ref", ConditionStatus.FAIL, "a person chose what was tested")


def status() -> Json:
    return status_document(run_of(ReportCommand.STATUS), ALL, status_rows(), 3)


def trial() -> Json:
    tested = answers.Tested(
        trial_of("cal", RED_TIERS), (*GATE, BY_HAND), canonical_of("cal"), CanonicalStatus(State.INTACT)
    )
    return trial_document(run_of(ReportCommand.TRIAL), tested, 4)


DOCUMENTS: dict[str, Callable[[], Json]] = {
    "plan": lambda: report_document(plan_report()),
    "drift": lambda: report_document(plan_report(ReportCommand.DRIFT)),
    "pass": lambda: report_document(pass_report()),
    "calm": lambda: report_document(calm_report()),
    "status": status,
    "trial": trial,
}


def parsed(document: Json) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json_text(document))
    return read


def recipe(document: Json, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in parsed(document)["recipes"] if each["name"] == name)
    return found


# ---- the whole text ----


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_equals_its_golden_file(name: str) -> None:
    text = json_text(DOCUMENTS[name]())
    assert text == golden_text(f"{name}.json", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_of_format_1(name: str) -> None:
    schema = format_1_schema("plan" if name == "calm" else name)
    assert list(schema_errors(parsed(DOCUMENTS[name]()), schema, schema)) == []


@pytest.mark.parametrize("key", ["want", "cause", "result", "since", "log"])
def test_the_schema_refuses_a_document_without_a_key(key: str) -> None:
    schema, document = format_1_schema("pass"), parsed(DOCUMENTS["pass"]())
    del document["recipes"][0][key]
    assert list(schema_errors(document, schema, schema)) == [f"$.recipes[0]: {key} is missing"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_recipe_has_the_same_keys_in_the_same_order(name: str) -> None:
    shapes = {tuple(each) for each in parsed(DOCUMENTS[name]())["recipes"]}
    assert shapes == {tuple(parsed(DOCUMENTS["plan"]())["recipes"][0])}


def test_every_row_is_a_recipe_of_the_document() -> None:
    for made in (plan_report(), pass_report(), calm_report()):
        assert [each["name"] for each in parsed(report_document(made))["recipes"]] == [row.recipe for row in made.rows]


def test_the_summary_has_the_numbers_of_the_line() -> None:
    document = parsed(report_document(pass_report()))
    counts = {key: count for key, count in document["summary"].items() if key != "line"}
    assert set(counts) == {*ReportBucket, "held_back"}
    assert sum(counts.values()) == len(document["recipes"])
    assert document["summary"]["line"] == pass_report().line


# ---- what a recipe tells ----


def test_a_red_recipe_has_its_canonical_and_its_tiers() -> None:
    red = recipe(report_document(pass_report()), "cal")
    assert (red["result"], red["action"], red["held_back"], red["needs_person"]) == ("red", "none", "red-before", True)
    assert red["have"]["version"] == "1.1.0+2.2.0"
    assert red["level"] == "1/5"
    assert [(tier["name"], tier["verdict"], tier["seconds"]) for tier in red["tiers"]] == [
        ("install", "pass", 12.3),
        ("upgrade", "fail", 80.0),
    ]
    assert red["base"] == {"version": "1.1.0+2.2.0", "why": "the canonical, with its data"}
    assert red["log"] == "logs/cal/20260302T040000.cal"


def test_a_recipe_that_was_not_tried_has_no_level() -> None:
    for name in ("etherpad", "wiki"):
        untried = recipe(report_document(pass_report()), name)
        assert (untried["level"], untried["base"], untried["tiers"], untried["log"]) == (None, None, [], None)


def test_a_want_that_is_no_release_is_null() -> None:
    document = report_document(plan_report())
    assert [recipe(document, name)["want"] for name in ("forgejo", "hedgedoc", "keycloak", "lasuite")] == [None] * 4


def test_a_canonical_has_its_evidence() -> None:
    proof = recipe(report_document(plan_report()), "etherpad")["have"]["evidence"]
    recorded = canonical_of("etherpad").evidence
    assert proof["trial"] == recorded.trial
    assert (proof["trigger"], proof["place"], proof["tools"]) == ("timer", "place-1", {"git": "2.39"})


def test_a_status_has_nothing_about_upstream() -> None:
    for each in parsed(status())["recipes"]:
        assert (each["want"], each["cause"], each["mirror"], each["observed_at"]) == (None, None, None, None)
    summary = parsed(status())["summary"]
    assert (summary["in_sync"], summary["to_promote"], summary["damaged"]) == (None, None, 2)


def test_a_trial_by_hand_is_never_promoted() -> None:
    green = answers.Tested(trial_of("cal"), (*GATE, BY_HAND), None, CanonicalStatus(State.NONE))
    told = recipe(trial_document(run_of(ReportCommand.TRIAL), green, 0), "cal")
    assert told["result"] == Result.GREEN_NOT_PROMOTED
    assert told["have"] is None
    assert {"name": "not-ref", "verdict": "fail", "evidence": BY_HAND.evidence} in told["gate"]


def test_a_trial_that_could_not_be_judged_is_infrastructure() -> None:
    lost = trial_of("cal", [evolve(RED_TIERS[0], verdict=Verdict.ERROR)])
    tested = answers.Tested(lost, (), None, CanonicalStatus(State.NONE))
    assert recipe(trial_document(run_of(ReportCommand.TRIAL), tested, 1), "cal")["result"] == Result.INFRASTRUCTURE


def test_a_hollow_report_is_an_error_too() -> None:
    excepted = [row for row in plan_report().rows if row.recipe == "mumble"]
    document = parsed(report_document(reports.report_of(ReportCommand.PLAN, excepted)))
    assert document["exit_code"] == 5
    assert [error["message"] for error in document["errors"]] == ["nothing is enrolled"]
    assert parsed(report_document(plan_report()))["errors"] == []


# ---- other answers ----


def test_errors_have_place_and_hint_if_known() -> None:
    document = error_document([("fleet.toml", 3, 1, "unknown key", "budget"), ("", None, None, "no fleet", "")], 78)
    assert parsed(document) == {
        "format": 1,
        "errors": [
            {"file": "fleet.toml", "line": 3, "column": 1, "message": "unknown key", "hint": "budget"},
            {"file": None, "line": None, "column": None, "message": "no fleet", "hint": None},
        ],
        "exit_code": 78,
    }


def test_a_raised_copy_has_its_address() -> None:
    seen = RunningApp("1.0.0", "c" * 40, is_up=True, url="http://127.0.0.1:4000", address="127.0.0.1:4000")
    assert parsed(raised_document("cal", seen)) == {
        "format": 1,
        "name": "cal",
        "version": "1.0.0",
        "commit": "c" * 40,
        "url": "http://127.0.0.1:4000",
        "address": "127.0.0.1:4000",
    }


def test_logs_keep_their_text_and_order() -> None:
    document = parsed(logs_document("cal", "t1", {"install": "a\n", "upgrade": "b\x1b\n"}))
    tiers = [{"name": "install", "text": "a\n"}, {"name": "upgrade", "text": "b\x1b\n"}]
    assert document["tiers"] == tiers


def test_a_one_line_answer_is_an_object_too() -> None:
    said = {"format": 1, "command": "accept", "line": "accepted 1.0.0", "exit_code": 0}
    assert parsed(message_document("accept", "accepted 1.0.0")) == said


# ---- the text of any document ----

WORDS = st.text(st.one_of(st.characters(codec=None), st.sampled_from('\x7f\x1b\x9b\u202e\u2028\ud800\udfff"\\')))


@given(WORDS)
def test_a_document_is_one_object_in_printable_ascii(word: str) -> None:
    evil = evolve(calm_report(), notes=(word,))
    text = json_text(report_document(evil))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    json.loads(text)


@given(st.text())
def test_text_is_unchanged_after_writing_and_reading_a_document(word: str) -> None:
    evil = canonical_of("a", Release(word, "c" * 40), [word])
    row = reports.row_before(step_left(finding_of("a", Cause.IN_SYNC, None, evil)))
    document = parsed(report_document(reports.report_of(ReportCommand.PLAN, [row])))
    assert document["recipes"][0]["have"]["lineage"] == [word]
