"""`reconcile prove`: proves that a pass would do nothing."""

from reconciler.cli.command_context import load_context, pass_lock
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import print_answer
from reconciler.core.report import ReportCommand
from reconciler.show.documents.proof_document import proof_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.proof import render_proof
from reconciler.stages import proof
from reconciler.stages.planning import RunRequest


def prove(options: Options) -> int:
    """Plan twice under the pass lock, and print whether a pass would do nothing. Return the exit code.

    * 0: a pass would do nothing.
    * 2: a pass would do something.
    * 1: it could not be seen what a pass would do with some recipe. This code precedes 2.
    * 5: no recipe is enrolled. This code precedes all others.

    Raise LockHeldError if a pass runs, because the pass changes what the plans depend on.
    """
    context = load_context(options)
    request = RunRequest(context.fleet, context.names, ReportCommand.PLAN)
    with (
        interruptible(),
        private_files(),
        pass_lock(context, "prove") as lock,
        progress_on_stderr(options) as progress,
    ):
        proved = proof.prove(make_host(context, progress, lock.descriptor), request)
    if options.json:
        return print_answer(json_text(proof_document(proved)), proved.exit_code)
    screen = stdout_screen(options)
    return print_answer(render_proof(proved, screen), proved.exit_code)
