"""What `reconcile trial` answers: its exit code, its text or JSON, and the JUnit file."""

from pathlib import Path

from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import stdout_screen
from reconciler.cli.standard_streams import print_answer, print_error, report_code_after_failure
from reconciler.core.gate import is_about_way, is_closed_way, refusals
from reconciler.core.report import Run
from reconciler.core.tier_results import Verdict, first_failure, is_green
from reconciler.errors import reason_of
from reconciler.show.documents.command_documents import Tested, trial_document
from reconciler.show.documents.junit import junit
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.trial_card import render_trial


def code_of_trial(tested: Tested) -> int:
    """Return the exit code of a trial.

    * 0: neither 4 nor 1 applies.
    * 4: the trial is red, or a way on which a promotion depends has the answer NO.
    * 1: a tier, or a way on which a promotion depends, could not be judged.
    """
    failed_tier = first_failure(tested.trial.tiers)
    if failed_tier is not None:
        return 1 if failed_tier.verdict is Verdict.ERROR else 4
    unmet = [each for each in refusals(tested.conditions) if is_about_way(each)]
    if not unmet or not is_green(tested.trial.tiers):
        return 0
    return 4 if any(is_closed_way(each) for each in unmet) else 1


def print_trial(context: CommandContext, junit_path: str | None, tested: Tested, run: Run) -> int:
    """Print the trial as text or JSON, and write the JUnit file `junit_path`, unless it is None. Return the exit code.

    * `tested`: the trial and the results of its ways, which decide on the exit code.
    * `run`: facts about this run of the command, for JSON.

    If stdout or the file cannot be written, print the reason to stderr, and return 1 in place of a code from 0 to 4;
    other codes are returned unchanged.
    """
    code = code_of_trial(tested)
    if context.options.json:
        code = print_answer(json_text(trial_document(run, tested, code)), code)
    else:
        screen = stdout_screen(context.options)
        text = render_trial(tested.trial, tested.conditions, screen, state=str(context.state.root), ways=tested.ways)
        code = print_answer(text, code)
    if junit_path is None:
        return code
    try:
        Path(junit_path).write_text(junit(tested.trial, tested.ways, tested.conditions), encoding="utf-8")
    except OSError as error:
        print_error(f"reconcile: {reason_of(error)}\n")
        return report_code_after_failure(code)
    return code
