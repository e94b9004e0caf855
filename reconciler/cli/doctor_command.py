"""`reconcile doctor`: checks everything that a pass needs on this host, before a pass needs it."""

from collections.abc import Iterator

from desired.declarations.problems import DeclarationError
from desired.model import Fleet
from reconciler.cli.command_context import load_fleet
from reconciler.cli.doctor_checks import checks_of
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import print_answer
from reconciler.core.fleet_check import check_fleet
from reconciler.core.host_checks import CheckResult, HostCheck, doctor_exit_code
from reconciler.errors import NoFleetError
from reconciler.host.git.revision import unread_files
from reconciler.show.documents.command_documents import doctor_document
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.doctor import render_checks
from state.folder.folder import StateFolder


def doctor(options: Options) -> int:
    """Print the results of all checks. Return 1 if a check failed, else 0. Nothing is changed."""
    checks = tuple(_checks(options))
    code = doctor_exit_code(checks)
    if options.json:
        return print_answer(json_text(doctor_document(checks, code)), code)
    screen = stdout_screen(options)
    return print_answer(render_checks(checks, screen), code)


def _checks(options: Options) -> Iterator[HostCheck]:
    """Yield the check of the declarations, and then all other checks.

    If the declarations cannot be read, the other checks run as for a fleet without recipes.
    """
    fleet = Fleet("", options.fleet_folder, {})
    try:
        fleet = load_fleet(options.fleet_folder)
        yield _declared(fleet)
    except NoFleetError as missing:
        yield HostCheck("fleet", CheckResult.FAILED, missing.message, missing.hint)
    except DeclarationError as failed:
        first, *more = failed.problems
        hint = f"and {len(more)} more: reconcile status" if more else ""
        yield HostCheck("fleet", CheckResult.FAILED, str(first), hint)
    yield from checks_of(fleet, StateFolder(options.state_folder.absolute()))


def _declared(fleet: Fleet) -> HostCheck:
    enrolled = [recipe for recipe in fleet.recipes.values() if recipe.enrolled]
    counts = f"{len(enrolled)} of {len(fleet.recipes)} recipes in {fleet.folder} enrolled"
    unread = unread_files(fleet.folder)
    folders = [recipe.folder.relative_to(fleet.folder) for recipe in enrolled]
    of_recipes = [str(path) for path in unread if any(path.is_relative_to(folder) for folder in folders)]
    return check_fleet(counts, len(enrolled), {str(path): reason for path, reason in unread.items()}, of_recipes)
