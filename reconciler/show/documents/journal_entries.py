"""Makes entries for systemd's journal about a run. Their fields are what `journalctl` selects entries by."""

from collections.abc import Iterator, Mapping
from typing import Final

from desired.releases import Release
from reconciler.core.drift import differences
from reconciler.core.exit_codes import HOLLOW
from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, Row
from reconciler.core.report_problems import hollow_reason
from reconciler.show.escape import escape

MESSAGE_IDS: Final[Mapping[str, str]] = {
    Result.PROMOTED.value: "9ead8e410da84e44a8f760e4f56dbd03",
    Result.REPAIRED.value: "a3116fb3e93f426bb3eeb60956b696b5",
    Result.RED.value: "307d8df390564078993d7cd13e4bc62e",
    Result.GREEN_NOT_PROMOTED.value: "7def2df0e5fa46828d38ec3daef4b5cd",
    Result.INFRASTRUCTURE.value: "86db7bebe8ea428491be1dd6f2be2e9c",
    Result.NOT_TRIED.value: "d75afb97622a49bd8e7004dec95a52ee",
    "hollow": "e870851c1d0a4efca0693886ad800810",
    "drift": "4bc19c6f36364e83a8db43949a06669b",
}
"""The MESSAGE_ID of each kind of entry. They never change, so that other programs may look for them."""

# Priorities of syslog: an error, a warning, a notice.
_ERROR, _WARNING, _NOTICE = "3", "4", "5"
_PRIORITIES: Final[Mapping[Result, str]] = {
    Result.PROMOTED: _NOTICE,
    Result.REPAIRED: _NOTICE,
    Result.INFRASTRUCTURE: _ERROR,
}
_LONGEST: Final = 2000
"""The number of characters of a message that are kept. The report and the log have the whole text."""

Entry = Mapping[str, str]


def outcome_entry(outcome: Outcome) -> Entry | None:
    """Return the journal entry about what a pass did for one recipe; None if the pass did nothing for it.

    The entry maps the names of its fields, such as "MESSAGE", to their values.
    """
    if outcome.result is Result.NONE:
        return None
    step, result = outcome.step, outcome.result
    release = step.release.version if step.release is not None else ""
    named = f"{step.recipe} {release}".rstrip()
    return _entry(
        result.value,
        f"{named}: {result}: {outcome.reason}",
        _PRIORITIES.get(result, _WARNING),
        {"RECIPE": step.recipe, "VERSION": release, "RESULT": result.value},
    )


def report_entries(report: Report) -> Iterator[Entry]:
    """Yield a journal entry for each difference that each recipe still has at the end of the run.

    Recipes with `enrolled = false` are left out. If the run has the exit code 5, because it did not check all that it
    should, yield an entry that says so first.
    """
    if report.exit_code == HOLLOW:
        yield _entry("hollow", f"hollow: {hollow_reason(report)}", _ERROR, {"RESULT": "hollow"})
    for row in report.rows:
        if row.step.held_back is not HeldBack.EXCEPTED:
            yield from _drift_entries(row)


def _drift_entries(row: Row) -> Iterator[Entry]:
    """Yield a journal entry for each difference of one recipe. The field VERSION is the wanted release; "" for none."""
    want = row.finding.want
    version = want.version if isinstance(want, Release) else ""
    for each in differences(row.finding):
        fields = {"RECIPE": row.recipe, "VERSION": version, "DRIFT": each.what, "RESULT": "drift"}
        yield _entry("drift", f"{row.recipe}: {each.what}: {each.reason}", _NOTICE, fields)


def _entry(kind: str, message: str, priority: str, fields: Mapping[str, str]) -> Entry:
    """Return a journal entry.

    * `kind`: the kind of entry, a key of MESSAGE_IDS.
    * `message`: the text of the entry, which is cut to 2000 characters.
    * `priority`: the number of a syslog priority, such as "3" for an error.
    * `fields`: further fields. Those with the value "" are left out.
    """
    given = {name: escape(value) for name, value in fields.items() if value}
    head = {"MESSAGE": escape(message)[:_LONGEST], "MESSAGE_ID": MESSAGE_IDS[kind], "PRIORITY": priority}
    return {**head, "SYSLOG_IDENTIFIER": "reconcile", **given}
