"""Makes the parts of JSON documents that show records: a canonical with its evidence, and what a person decided."""

from collections.abc import Mapping
from datetime import datetime

from reconciler.core.holds import HoldStatus
from reconciler.show.quantities import rfc3339
from state.decisions import Hold, Rollback
from state.records import Canonical, Evidence

Json = Mapping[str, object]


def decisions_part(status: HoldStatus | None) -> Json:
    """Return a part of a recipe's JSON entry: the keys "hold", "rollback", "waiting"; {} if `status` is None.

    The keys show the hold and the rollback that are in effect, and the releases that are not tried because of them.
    """
    if status is None:
        return {}
    return {"hold": _hold(status.hold), "rollback": _rollback(status.rollback), "waiting": list(status.waiting)}


def _hold(hold: Hold | None) -> Json | None:
    """Return the JSON entry of a hold; None if there is none. Its "until" is the day of the hold's end, or null."""
    if hold is None:
        return None
    until = hold.until.isoformat() if hold.until else None
    return {"who": hold.who, "reason": hold.reason, "at": rfc3339(hold.at), "until": until}


def _rollback(rollback: Rollback | None) -> Json | None:
    """Return the JSON entry of a rollback; None if there is none.

    In it, "from" is the release of the canonical before the rollback, null if that is not recorded. "left" is the
    newest release that was given up, by this rollback or by earlier ones.
    """
    if rollback is None:
        return None
    decided = {"who": rollback.who, "reason": rollback.reason, "at": rfc3339(rollback.at)}
    return {**decided, "version": rollback.version, "left": rollback.left, "from": rollback.from_version or None}


def canonical_part(have: Canonical | None) -> Json | None:
    """Return the JSON entry of a canonical with its evidence; None if there is no canonical."""
    if have is None:
        return None
    return {
        "version": have.version,
        "commit": have.commit,
        "generation": have.generation,
        "lineage": list(have.lineage),
        "promoted_at": rfc3339(have.promoted_at),
        "bytes": have.seal.bytes,
        "copy_of": have.copy_of,
        "evidence": _evidence(have.evidence),
    }


def _evidence(evidence: Evidence) -> Json:
    """Return the JSON entry of a canonical's evidence: facts of its trial, and of the host on which the trial ran."""
    return {
        "trial": evidence.trial,
        "pass": evidence.pass_id,
        "started_at": rfc3339(evidence.started_at),
        "finished_at": rfc3339(evidence.finished_at),
        "trigger": evidence.place.trigger,
        "unit": evidence.place.unit,
        "user": evidence.place.user,
        "place": evidence.place.digest,
        "tools": dict(evidence.place.tools),
        "versions": evidence.place.versions_digest,
        "canon": evidence.canon,
        "fleet": evidence.fleet,
        "tests": evidence.tests,
        **evidence_part(evidence),
    }


def evidence_part(evidence: Evidence) -> Json:
    """Return a part of a JSON entry: the keys "level", "base", "tiers", "log", "findings", filled from `evidence`."""
    tiers = [(tier.name, tier.verdict, tier.reason, tier.seconds) for tier in evidence.tiers]
    base = {"version": evidence.base.version, "why": evidence.base.why}
    return {
        "level": evidence.level,
        "base": base,
        "tiers": [tier_part(*tier) for tier in tiers],
        "log": evidence.log,
        "findings": list(evidence.findings),
    }


def tier_part(name: str, verdict: str, reason: str, seconds: float) -> Json:
    """Return the JSON entry of one tier.

    `verdict` is pass, fail, skip or error, and `reason` why; "" for a pass. `seconds` are rounded to tenths.
    """
    return {"name": name, "verdict": verdict, "reason": reason, "seconds": round(seconds, 1)}


def time_part(when: datetime | None) -> str | None:
    """Return a point in time as text, such as "2026-11-24T10:38:41Z"; None if `when` is None."""
    return rfc3339(when) if when is not None else None
