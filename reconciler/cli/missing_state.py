"""Says that nothing is recorded: there is no state folder, perhaps as --state is mistyped, or it has no records."""

import os

from reconciler.cli.standard_streams import print_error
from reconciler.show.escape import escape
from state.folder.folder import StateFolder, is_empty


def missing_state_notes(state: StateFolder) -> tuple[str, ...]:
    """Return one note if the state folder is missing or empty, or has no registry; else ()."""
    if os.path.lexists(state.database):
        return ()
    if not os.path.lexists(state.root) or is_empty(state.root):
        return (f"there is no state folder at {state.root} yet: the first pass makes it",)
    return (f"nothing is recorded in the state folder {state.root} yet",)


def missing_state_text(state: StateFolder) -> str:
    """Return the note of `missing_state_notes` as a line of text; "" if there is none."""
    return "".join(f"note: {escape(note)}\n" for note in missing_state_notes(state))


def print_missing_state(state: StateFolder) -> None:
    """Print the note of `missing_state_notes` to stderr, of a command whose answer has no place for notes."""
    if text := missing_state_text(state):
        print_error(text)
