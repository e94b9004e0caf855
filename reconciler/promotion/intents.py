"""The intent of a promotion or rollback: which generation it makes, and how it is undone or closed."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from desired.releases import Release
from reconciler.errors import InfrastructureError, InterruptedPassError
from reconciler.ports.host import Host
from state.records import Intent, LedgerEntry
from state.snapshots.snapshots import generations_present
from state.state_errors import StateError

HOST_FAULTS = (InfrastructureError, StateError, sqlite3.Error, OSError)


def next_generation(host: Host, recipe: str) -> int:
    """Return the number for the next generation of a recipe.

    The new number is greater than the number of every generation that was ever recorded or that has a folder.
    """
    recorded = host.registry.read().generations.get(recipe, 0)
    return max([*generations_present(host.state.generations(recipe)), recorded]) + 1


def new_intent(host: Host, recipe: str, release: Release, copy_of: int | None = None) -> Intent:
    """Return the intent to make a release the canonical. Record nothing.

    `copy_of` is the generation that a rollback copies; None for a promotion.
    """
    op = f"{host.pass_id}:{recipe}:{release.version}"
    number, now = next_generation(host, recipe), host.clock.now()
    return Intent(op, recipe, release.version, release.commit, number, now, copy_of=copy_of)


@contextmanager
def undone_if_interrupted(host: Host, intent: Intent) -> Iterator[None]:
    """Undo the intent if InterruptedPassError ends the `with` block, and raise that error again."""
    try:
        yield
    except InterruptedPassError as stop:
        # If undoing fails, the next pass finds the intent and closes it.
        with suppress(Exception):
            undo(host, intent, stop.message)
        raise


def undo(host: Host, intent: Intent, why: str) -> None:
    """Close an intent whose promotion or rollback was not recorded, as `close_intent` does.

    `why` is the reason for the ledger. If closing fails through a fault of this host or of the state folder, raise no
    error, but show the failure as progress: the next pass then closes the intent.
    """
    try:
        close_intent(host, intent, why)
    except HOST_FAULTS as failed:
        host.progress.done(intent.recipe, f"what was begun could not be undone; the next pass does it: {failed}")


def close_intent(host: Host, intent: Intent, why: str) -> None:
    """Close an intent that led to no recorded canonical: delete its snapshot, and append `why` to the ledger."""
    delete_unrecorded(host, intent)
    abandon(host, intent, why)


def delete_unrecorded(host: Host, intent: Intent) -> None:
    """Delete the snapshot of the generation that the intent names, unless this generation is the recorded canonical."""
    have = host.registry.read().canonicals.get(intent.recipe)
    if have is None or have.generation != intent.generation:
        host.snapshots.delete(host.state.canonical(intent.recipe, intent.generation))


def abandon(host: Host, intent: Intent, why: str) -> None:
    """Close an intent whose promotion or rollback is given up. Append the reason `why` to the ledger.

    The snapshot of the intent's generation stays.
    """
    host.registry.abandon(intent, [intent_entry(host, "abandoned", intent, {"why": why})])


def intent_entry(host: Host, kind: str, intent: Intent, more: Mapping[str, object]) -> LedgerEntry:
    """Return an entry for the ledger about an intent. Append nothing to the ledger.

    `kind` is the kind of entry: intent, promoted, rolled-back or abandoned. `more` has further fields for the entry.
    """
    body = {"op": intent.op, "version": intent.version, "commit": intent.commit, "generation": intent.generation}
    if intent.copy_of is not None:
        more = {"copy_of": intent.copy_of, **more}
    return LedgerEntry(host.clock.now(), kind, intent.recipe, {**body, **more})
