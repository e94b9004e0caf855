"""What `reconcile trial` answers: its exit code, its text or JSON, and the JUnit file."""

from pathlib import Path

from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import stdout_screen
from reconciler.cli.output_file import READABLE, code_of_unwritten, require_output_path
from reconciler.cli.standard_streams import print_answer
from reconciler.core.gate import is_about_way, is_closed_way, refusals
from reconciler.core.redeployed import code_of_not_up
from reconciler.core.report import Run
from reconciler.core.tier_results import Verdict, first_failure, is_green
from reconciler.show.documents.command_documents import Tested, trial_document
from reconciler.show.documents.junit import junit
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.trial_card import render_trial, render_trial_notes
from state.folder.durable import replace_file


def require_junit_path(file: str | None) -> Path | None:
    """Return the absolute path that the option --junit names; None if the option is not given.

    Raise UsageError if the file's name does not end in .xml, or if the file's folder cannot be written to.
    """
    if file is None:
        return None
    return require_output_path("--junit", file, ".xml", name_hint="name one, such as trial.xml")


def code_of_trial(tested: Tested) -> int:
    """Return the exit code of a trial.

    * 4: the trial is red, or a way on which a promotion depends has the answer NO.
    * 1: a tier, or a way on which a promotion depends, could not be judged. Also if 4 does not apply, and it cannot be
      observed whether the kept deployments are up again that were undeployed meanwhile.
    * 3: neither 4 nor 1 applies, but one of these deployments is down.
    * 0: nothing of this applies.
    """
    return _code_of_results(tested) or code_of_not_up(tested.not_up)


def _code_of_results(tested: Tested) -> int:
    """Return the exit code by the tiers and ways of a trial alone: 0, 1 or 4."""
    failed_tier = first_failure(tested.trial.tiers)
    if failed_tier is not None:
        return 1 if failed_tier.verdict is Verdict.ERROR else 4
    unmet = [each for each in refusals(tested.conditions) if is_about_way(each)]
    if not unmet or not is_green(tested.trial.tiers):
        return 0
    return 4 if any(is_closed_way(each) for each in unmet) else 1


def print_trial(context: CommandContext, junit_path: Path | None, tested: Tested, run: Run) -> int:
    """Print the trial as text or JSON, and write the JUnit file. Return the exit code.

    * `junit_path`: the file to replace, in one step and readable by everybody; None for no file.
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
        text += render_trial_notes(tested.notes, screen)
        code = print_answer(text, code)
    if junit_path is None:
        return code
    try:
        replace_file(junit_path, junit(tested.trial, tested.ways, tested.conditions).encode(), READABLE)
    except OSError as error:
        return code_of_unwritten("the JUnit file", junit_path, error, code)
    return code
