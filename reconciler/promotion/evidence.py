"""Makes what is recorded of a trial: evidence, entry of the ledger, and memory."""

from attrs import asdict, evolve

from reconciler.core.observation import with_damage
from reconciler.core.outcome import Outcome, is_remembered
from reconciler.core.peaks import with_peak
from reconciler.core.test_result import PAYLOAD_TYPE, statement_of
from reconciler.core.tier_results import Trial, first_failure, level
from reconciler.ports.host import Host
from state.records import BaseRecord, Canonical, Evidence, FoundDamage, LedgerEntry, Memory, Red, TierRecord


def evidence_of(host: Host, trial: Trial) -> Evidence:
    """Return the evidence for the promotion of a tested release: facts of its trial and this host. Record nothing."""
    base = trial.base
    return Evidence(
        trial=trial.id,
        pass_id=host.pass_id,
        started_at=trial.started_at,
        finished_at=trial.finished_at,
        place=host.place,
        canon=host.canon,
        fleet=host.fleet,
        tests=trial.tests,
        level=level(trial.tiers),
        base=BaseRecord(base.release.version if base.release else None, base.why),
        tiers=tuple(TierRecord(tier.name, tier.verdict, tier.reason, round(tier.seconds, 3)) for tier in trial.tiers),
        log=trial.log,
        findings=trial.findings,
    )


def attestation(host: Host, canonical: Canonical, upstream: str) -> tuple[LedgerEntry, ...]:
    """Return one entry for the ledger, with the in-toto statement about a canonical. Append nothing to the ledger.

    The statement is in an envelope, which is signed if a key is configured. `upstream` is the URL of the recipe's
    upstream repository. If `host.attestor` is None, no statement is made: return (). If signing fails, raise
    InfrastructureError.
    """
    if host.attestor is None:
        return ()
    envelope = host.attestor.envelope(statement_of(canonical, upstream), PAYLOAD_TYPE)
    release = {"version": canonical.version, "commit": canonical.commit, "generation": canonical.generation}
    signatures = envelope["signatures"]
    said = f"in-toto statement, {'signed' if signatures else 'not signed'}; see: reconcile evidence {canonical.recipe}"
    body = {**release, "pass": host.pass_id, "envelope": envelope, "said": said}
    return (LedgerEntry(host.clock.now(), "evidence", canonical.recipe, body),)


def trial_entry(host: Host, trial: Trial, result: str, who: str = "") -> LedgerEntry:
    """Return the entry for the ledger about a trial. Append nothing to the ledger.

    `result` is the result of the trial's step, such as "promoted". `who` is the person who started the trial by hand;
    "" for a pass.
    """
    bad = first_failure(trial.tiers)
    body = {
        **({"who": who} if who else {}),
        "trial": trial.id,
        "pass": host.pass_id,
        "version": trial.release.version,
        "commit": trial.release.commit,
        "by_pass": trial.by_pass,
        "level": level(trial.tiers),
        "tiers": [[tier.name, tier.verdict, tier.reason, round(tier.seconds, 3)] for tier in trial.tiers],
        "base": [trial.base.release.version if trial.base.release else None, trial.base.why],
        "result": result,
        "reason": f"{bad.name}: {bad.reason}" if bad else "",
        "place": host.place.digest,
        "log": trial.log,
        "findings": list(trial.findings),
        "peak": asdict(trial.peak) if trial.peak is not None else None,
        "packed": trial.candidate.seal.packed if trial.candidate is not None else None,
    }
    return LedgerEntry(host.clock.now(), "trial", trial.recipe, body)


def remembered(host: Host, memory: Memory, outcome: Outcome) -> Memory:
    """Return what is remembered of a recipe after a step. `memory` is what was remembered before the step.

    If the step ran no trial, return `memory` unchanged. Otherwise return it with these changes, and record nothing:

    * The id, time and duration of the last trial are replaced. The trial's use of the disk is added.
    * If the trial found that the generation from which its upgrade started is damaged, that damage is added.
    * An earlier red of the tested release is removed. If `outcome` is to be remembered as a red, that red is added. Its
      circumstances are those of the step, but with the tests of the trial: a need may have been promoted before it.
    """
    trial, circumstances = outcome.attempt.trial, outcome.step.circumstances
    if trial is None or circumstances is None:
        return memory
    now = host.clock.now()
    reds = {version: red for version, red in memory.reds.items() if version != trial.release.version}
    circumstances = evolve(circumstances, tests=trial.tests)
    if is_remembered(outcome):
        reds[trial.release.version] = Red(trial.release.version, circumstances, now, trial.id, outcome.reason)
    if trial.damage and trial.base.generation is not None:
        memory = with_damage(memory, FoundDamage(trial.base.generation, trial.damage, now))
    memory = with_peak(memory, trial.peak)
    return evolve(memory, reds=reds, last_trial=trial.id, last_trial_at=now, seconds=round(trial.seconds, 3))
