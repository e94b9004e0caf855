"""The blocks of a report on failed steps: the tier that failed, its last output, and when it is tried again."""

from collections.abc import Iterator
from typing import Final

from desired.model import TierName
from reconciler.core.findings import Cause, Finding
from reconciler.core.outcome import Outcome, Result, is_remembered
from reconciler.core.report import Report, Row
from reconciler.core.tier_results import Trial, Verdict, first_failure
from reconciler.core.unread_tags import unread_tags_message
from reconciler.show.escape import escape, escape_lines
from reconciler.show.labels import RESULTS, VERDICTS
from reconciler.show.quantities import duration, short
from reconciler.show.text.screen import Screen, Style, paint

TAIL: Final = 15
FAILED_RESULTS: Final = frozenset({Result.RED, Result.GREEN_NOT_PROMOTED, Result.INFRASTRUCTURE})
_INDENT: Final = "  "


def failed_steps(report: Report, screen: Screen, state: str) -> Iterator[list[str]]:
    """Yield a block of lines for each failed step. `state` is the state folder, to which paths of logs are relative."""
    for row in report.rows:
        if row.outcome is not None and row.result in FAILED_RESULTS:
            yield _block(row, row.outcome, screen, state)


def notes_of(row: Row) -> Iterator[str]:
    """Yield texts on a recipe that have no effect on its result.

    Some are the remarks of the recipe's trial and of the pass. Others say that `[upgrade]` pins a base which is no
    longer needed, that tags are gone upstream, or that tags look like newer releases but are not read.
    """
    trial = row.outcome.attempt.trial if row.outcome else None
    if trial is not None:
        yield from trial.findings
        if trial.base.removable:
            yield f"the pin in [upgrade] has done its work and may be deleted: {trial.base.why}"
    if row.outcome is not None:
        yield from row.outcome.remarks
    yield from _tag_notes(row.finding)


def _tag_notes(finding: Finding) -> Iterator[str]:
    """Yield a text on tags that are gone upstream, and one on tags that look like newer releases but are not read."""
    if finding.vanished:
        yield f"tags that are gone upstream: {', '.join(finding.vanished)}"
    if finding.unread and finding.cause is not Cause.NEVER_RELEASED:
        yield f"tags that look newer and are not read: {unread_tags_message(finding.unread)}"


def _block(row: Row, outcome: Outcome, screen: Screen, state: str) -> list[str]:
    """Return the lines about one failed step: what failed, the app's last output, the log, and when it is tried again.

    `outcome` is the outcome of the row.
    """
    heading = f"{paint(row.recipe, Style.STRONG, screen)}: {paint(outcome.result, Style.BAD, screen)}, "
    trial = outcome.attempt.trial
    tail = last_lines(trial, screen) if trial is not None else []
    after = [("canonical", _canonical_after(row, outcome))]
    if trial is not None:
        after.append(("log", f"{log_path(trial.log, state)} (reconcile logs {row.recipe})"))
    after.append(("next", next_try(outcome)))
    return [heading + RESULTS[outcome.result], *map(_labelled, _what_failed(outcome)), *tail, *map(_labelled, after)]


def _labelled(fact: tuple[str, str]) -> str:
    """Return an indented line with a label and a text. `fact` is the pair of both."""
    label, text = fact
    return f"{_INDENT}{label:<10} {escape(text)}"


def _what_failed(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield facts about a step's failed tier, each as a pair of a label and a text.

    If no tier failed, yield only the reason.
    """
    trial = outcome.attempt.trial
    bad = first_failure(trial.tiers) if trial is not None else None
    if trial is None or bad is None:
        yield "reason", outcome.reason
        return
    yield "release", f"{trial.release.version} ({short(trial.release.commit)})"
    passed = [tier.name for tier in trial.tiers if tier.verdict is Verdict.PASS]
    if passed:
        yield "passed", ", ".join(passed)
    after = f" after {duration(bad.seconds)}" if bad.seconds >= 1 else ""
    yield "failing", f"{bad.name} {VERDICTS[bad.verdict]}{after}: {bad.reason}"
    if bad.name is TierName.UPGRADE:
        yield "base", base_text(trial)


def _canonical_after(row: Row, outcome: Outcome) -> str:
    """Return a text on the canonical after a failed step, such as "1.2.0, unchanged, intact".

    Return "none" if there is no canonical.
    """
    have, previous = outcome.have, row.previous
    if have is None:
        return "none"
    unchanged = previous is not None and previous.generation == have.generation and previous.seal == have.seal
    return f"{have.version}, {'unchanged, ' if unchanged else ''}{row.finding.status.state}"


def last_lines(trial: Trial, screen: Screen) -> list[str]:
    """Return the last log lines of the app that failed, at most 15, indented; an empty list if there are none."""
    lines = [line for part in trial.tail for line in escape_lines(part)]
    return [f"{_INDENT}{_INDENT}{paint('| ' + line.rstrip(), Style.FAINT, screen)}" for line in lines[-TAIL:]]


def base_text(trial: Trial) -> str:
    """Return a text with the version from which a trial's upgrade started, and why it was chosen: "1.2.0: …"."""
    return f"{trial.base.release.version if trial.base.release else 'none'}: {trial.base.why}"


def log_path(log: str, state: str) -> str:
    """Return the path of a trial's log, as STATE/LOG. `log` is its path relative to the state folder `state`.

    Return `log` unchanged if `log` is an absolute path, or if `state` is "".
    """
    return log if log.startswith("/") or not state else f"{state.rstrip('/')}/{log}"


def next_try(outcome: Outcome) -> str:
    """Return a text on when a failed step is tried again, or on what a person can do about the failure.

    An example: "fix the host; the next pass tries again".
    """
    name = outcome.step.recipe
    if is_remembered(outcome):
        return (
            "not tried again until there is a newer release, or its commit, its tests, its needs, Canon or this place "
            f"changes, or you ask: reconcile --retry {name}"
        )
    not_at_home = next((refusal for refusal in outcome.attempt.refusals if refusal.name == "at-home"), None)
    if not_at_home is not None:
        return not_at_home.evidence
    if outcome.result is Result.INFRASTRUCTURE:
        return "fix the host; the next pass tries again"
    return "the next pass asks upstream again and decides"
