"""The text of `reconcile trial`: the tiers, the base, the log, and the conditions of the gate."""

from collections.abc import Mapping, Sequence

from reconciler.core.gate import Condition, ConditionStatus, early_refusals
from reconciler.core.outcome import Result
from reconciler.core.tier_results import TierResult, Trial, Verdict, first_failure, is_green, level
from reconciler.core.ways import WayResult
from reconciler.show.escape import escape
from reconciler.show.labels import CONDITION_STATUSES, SKIPS, VERDICTS
from reconciler.show.quantities import duration, short
from reconciler.show.text.failed_steps import base_text, last_lines, log_path
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint
from reconciler.show.text.ways import way_rows

_VERDICT_STYLES: Mapping[Verdict, Style] = {
    Verdict.PASS: Style.GOOD,
    Verdict.FAIL: Style.BAD,
    Verdict.SKIP: Style.FAINT,
    Verdict.ERROR: Style.BAD,
}
_CONDITION_STYLES: Mapping[ConditionStatus, Style] = {
    ConditionStatus.PASS: Style.GOOD,
    ConditionStatus.FAIL: Style.BAD,
    ConditionStatus.OPEN: Style.FAINT,
}


def render_trial(
    trial: Trial,
    conditions: Sequence[Condition],
    screen: Screen,
    *,
    state: str = "",
    ways: Sequence[WayResult] = (),
) -> str:
    """Return the text of `reconcile trial`: tiers, remarks, ways, gate, base, log, and a line with the result.

    * `conditions`: the conditions of the gate.
    * `state`: the state folder, to which the path of the trial's log is relative.
    * `ways`: the results of the ways that were tried after the tiers.
    """
    parts = [
        [paint(f"{trial.recipe} {trial.release.version} ({short(trial.release.commit)})", Style.STRONG, screen)],
        _tiers(trial, screen) + last_lines(trial, screen),
        [paint(f"finding: {finding}", Style.WARN, screen) for finding in trial.findings],
        way_rows(ways, screen),
        _gate(conditions, screen),
        [f"base: {escape(base_text(trial))}", f"log: {escape(log_path(trial.log, state))}"],
        [paint(trial_line(trial, conditions), Style.STRONG, screen)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def render_trial_notes(notes: Sequence[str], screen: Screen) -> str:
    """Return the text of sentences on this host that stand below the text of a trial; "" if there are none."""
    lines = [paint(f"note: {escape(note)}", Style.WARN, screen) for note in notes]
    return "\n".join(["", *lines, ""]) if lines else ""


def trial_line(trial: Trial, conditions: Sequence[Condition]) -> str:
    """Return one line with the result, level and duration of a trial. `conditions` are the conditions of the gate.

    If every tier passed or was skipped, the line also says whether a pass would promote the release.
    """
    bad = first_failure(trial.tiers)
    took = f"level {level(trial.tiers)}, {duration(trial.seconds)}"
    if bad is not None:
        return f"{result_of(trial)}: {bad.name} {VERDICTS[bad.verdict]}: {bad.reason}; {took}"
    if not is_green(trial.tiers):
        return f"not green: not every tier was reached; {took}"
    return f"green, {took}; {_promotion_forecast(conditions)}"


def result_of(trial: Trial) -> Result:
    """Return the result of a trial that a person started.

    * RED: a tier failed.
    * INFRASTRUCTURE: a tier could not be judged, because of this host.
    * GREEN_NOT_PROMOTED: every tier passed or was skipped. Only a pass promotes the release.
    * NOT_TRIED: not every tier was reached.
    """
    bad = first_failure(trial.tiers)
    if bad is not None:
        return Result.RED if bad.verdict is Verdict.FAIL else Result.INFRASTRUCTURE
    return Result.GREEN_NOT_PROMOTED if is_green(trial.tiers) else Result.NOT_TRIED


def _promotion_forecast(conditions: Sequence[Condition]) -> str:
    """Return a text that says whether a pass would promote the release, by the conditions of the gate.

    If a pass would not promote it, the text names the conditions that prevent the promotion. The condition "not-ref" is
    left out, because no trial by hand meets it.
    """
    against = [str(item) for item in early_refusals(tuple(conditions)) if item.name != "not-ref"]
    if against:
        return f"a pass would not promote it: {'; '.join(against)}"
    return "a trial never promotes; no condition that was checked prevents a pass from promoting it"


def tier_reason(tier: TierResult) -> str:
    """Return the reason of a tier's verdict. If the tier was skipped, begin with the kind of skip: "no-check: …"."""
    return tier.reason if tier.skip is None else f"{tier.skip}: {tier.reason or SKIPS[tier.skip]}"


def _tiers(trial: Trial, screen: Screen) -> list[str]:
    rows = [
        [
            Cell(tier.name),
            Cell(tier.verdict, _VERDICT_STYLES[tier.verdict]),
            Cell(NOTHING if tier.verdict is Verdict.SKIP else duration(tier.seconds)),
            Cell(tier_reason(tier)),
        ]
        for tier in trial.tiers
    ]
    return align(["TIER", "VERDICT", "TOOK", "REASON"], rows, screen)


def _gate(conditions: Sequence[Condition], screen: Screen) -> list[str]:
    rows = [
        [Cell(item.name), Cell(CONDITION_STATUSES[item.status], _CONDITION_STYLES[item.status]), Cell(item.evidence)]
        for item in conditions
    ]
    return align(["GATE", "STANDING", "EVIDENCE"], rows, screen)
