"""Reads in-toto envelopes by other programs' code: securesystemslib for DSSE, in-toto's own for the statement."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope


def opened(envelope: Mapping[str, Any]) -> Envelope:
    """Return the envelope as securesystemslib reads it."""
    return Envelope.from_dict(deepcopy(dict(envelope)))


def validated(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement in an envelope. in-toto's own code reads it and its predicate."""
    payload = opened(envelope).payload
    parsed = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    statement: dict[str, Any] = json.loads(payload)
    json_format.ParseDict(statement["predicate"], test_result_pb2.TestResult())
    return statement
