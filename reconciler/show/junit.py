"""A trial as JUnit XML, for whatever collects test results."""

from xml.sax.saxutils import quoteattr

from reconciler.core.tiers import TierResult, Trial, Verdict
from reconciler.show.escape import escape


def junit(trial: Trial) -> str:
    """One suite, one case a tier; an infrastructure error is an error and no failure."""
    count = {verdict: sum(tier.verdict is verdict for tier in trial.tiers) for verdict in Verdict}
    totals = (
        f'tests="{len(trial.tiers)}" failures="{count[Verdict.FAIL]}" '
        f'errors="{count[Verdict.ERROR]}" skipped="{count[Verdict.SKIP]}" time="{trial.seconds:.3f}"'
    )
    name = _attribute(f"{trial.recipe} {trial.release.version}")
    cases = "\n".join(_case(trial, tier) for tier in trial.tiers)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuite name={name} {totals}>\n{cases}\n</testsuite>\n'


def _case(trial: Trial, tier: TierResult) -> str:
    head = f'  <testcase classname={_attribute(trial.recipe)} name="{tier.name}" time="{tier.seconds:.3f}"'
    element = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}.get(tier.verdict)
    return f"{head}/>" if element is None else f"{head}><{element} message={_attribute(tier.reason)}/></testcase>"


def _attribute(text: str) -> str:
    return quoteattr(escape(text))
