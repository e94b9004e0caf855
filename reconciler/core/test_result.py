"""Makes the in-toto statement about the trial that proved a canonical: predicate test-result, version 0.1."""

from collections.abc import Mapping
from typing import Final

from state.records import Canonical

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


def statement_of(canonical: Canonical, upstream: str) -> Mapping[str, object]:
    """Return the in-toto statement that the canonical's release passed its trial, as JSON data.

    The subject is the commit. The configuration names everything on which the result depends. Passed tiers are listed
    as passed tests; skipped ones are not. `upstream` is the URL of the recipe's repository.
    """
    evidence = canonical.evidence
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": f"{upstream}@{canonical.version}", "digest": {"gitCommit": canonical.commit}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "PASSED",
            "configuration": [
                _resource("tests", evidence.tests),
                _resource("place", evidence.place.digest),
                _resource("versions of tools", evidence.place.versions_digest),
                _resource("snapshot manifest", canonical.seal.manifest),
                {"name": "canon", "uri": f"canon:{evidence.canon}"},
                {"name": "fleet", "uri": f"fleet:{evidence.fleet}"},
                {"name": "lineage", "uri": f"lineage:{','.join(canonical.lineage)}"},
            ],
            "passedTests": [tier.name for tier in evidence.tiers if tier.verdict == "pass"],
        },
    }


def _resource(name: str, digest: str) -> Mapping[str, object]:
    return {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
