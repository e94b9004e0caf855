"""`reconcile schema` knows every command, and describes what each prints."""

import json
from typing import Any

import pytest

from reconciler.cli.main import reconcile
from reconciler.cli.schema_command import read_definitions
from reconciler.show.documents.command_documents import error_document, message_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.documents.schemas import ANSWERS, schema_of, whole_schema
from tests.expected_documents import answer_errors, schema_errors

DEFINITIONS = read_definitions()
IN_NO_COMMAND = {"message", "pass", "pass-events", "saved-plan"}


def referred(schema: object) -> set[str]:
    text = json.dumps(schema)
    return {name for name in DEFINITIONS if f'"#/$defs/{name}"' in text}


def test_every_command_has_a_schema() -> None:
    assert {*ANSWERS} == {*reconcile.commands} | IN_NO_COMMAND


@pytest.mark.parametrize("command", ANSWERS)
def test_a_schema_defines_what_it_refers_to_and_nothing_more(command: str) -> None:
    schema = schema_of(command, DEFINITIONS)
    assert {*schema["$defs"]} == referred(schema)


def test_every_definition_is_part_of_the_whole_schema() -> None:
    whole = whole_schema(DEFINITIONS)
    assert {*whole["$defs"]} == {*DEFINITIONS} == referred(whole)


def test_a_failure_is_an_answer_of_every_command_but_no_saved_plan_no_line_of_a_pass_and_no_message() -> None:
    failed = json.loads(json_text(error_document([("", None, None, "no fleet", "")], 78)))
    refused = {name for name in ANSWERS if [*errors_of(name, failed)]}
    assert refused == {"message", "pass-events", "saved-plan"}


def test_the_line_of_one_command_is_no_answer_of_another() -> None:
    line = json.loads(json_text(message_document("hold", "jot: on hold")))
    assert [name for name in ANSWERS if not [*errors_of(name, line)]] == ["hold"]


def test_the_schemas_of_the_tests_are_closed_so_that_a_new_key_is_noticed() -> None:
    said = {**message_document("hold", "jot: on hold"), "more": 1}
    assert answer_errors(["hold", "jot", "-o", "json"], json_text(said)) == ["$: more is unknown"]


def test_text_is_checked_against_no_schema() -> None:
    assert answer_errors(["hold", "jot"], "jot: on hold\n") == []


def errors_of(command: str, document: dict[str, Any]) -> list[str]:
    schema = schema_of(command, DEFINITIONS)
    return list(schema_errors(document, schema, schema))
