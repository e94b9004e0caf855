"""What outlives a pass: the registry and the snapshots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from state.decisions import Hold, Rollback
from state.drift_record import DriftRecord
from state.ledger_line import LedgerLine
from state.records import Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Records, Seal


class Registry(Protocol):
    """The registry and the ledger, which are in one file. Every call opens the file, and is one transaction."""

    def read(self) -> Records:
        """Return all records of all recipes."""

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return all recorded generations of a recipe since it was last forgotten, the newest first."""

    def lines(self, after: int = 0, kind: str | None = None) -> tuple[LedgerLine, ...]:
        """Return the lines of the ledger with a greater number than `after`, the oldest first; of one kind if given."""

    def verify(self) -> None:
        """Check the chain of hashes of the whole ledger. Raise RegistryError if a line was changed."""

    def flush(self) -> None:
        """Make the last writes of a killed process durable."""

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the intent of a promotion that begins, and append `entries` to the ledger."""

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the promoted canonical, close its intent, and append `entries` to the ledger.

        Raise OnHoldError if the recipe is on hold.
        """

    def roll_back(
        self, canonical: Canonical, intent: Intent, rollback: Rollback, entries: Sequence[LedgerEntry]
    ) -> None:
        """Record the canonical that is a copy of an older generation, close its intent, and record the rollback.

        Append `entries` to the ledger.
        """

    def set_hold(self, hold: Hold, entries: Sequence[LedgerEntry]) -> None:
        """Record a hold in place of an earlier one of its recipe, and append `entries` to the ledger."""

    def end_decisions(self, ended: Sequence[Hold | Rollback], entries: Sequence[LedgerEntry]) -> None:
        """Delete these holds and rollbacks, and append `entries` to the ledger.

        Raise RegistryError if one of them is no longer recorded.
        """

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Close an intent without a promotion, and append `entries` to the ledger."""

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None:
        """Replace the memories of these recipes, and append `entries` to the ledger."""

    def record_drift(self, changed: Sequence[DriftRecord], entries: Sequence[LedgerEntry]) -> None:
        """Replace the drift records of these recipes, and append `entries` to the ledger."""

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete a recipe's canonicals, its open intent and its memory. Append `entries` to the ledger.

        Earlier entries of the ledger stay.
        """

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Append `entries` to the ledger."""


class Snapshots(Protocol):
    """Sealed snapshots: each is a folder with snapshot.tar.zst and manifest.json."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack the folder `source` into a snapshot in the new folder `into`, and verify it. Return its seal.

        `about` is stored in the manifest.
        """

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename the folder of a snapshot to `to`, durably. Return the seal with the files' present times."""

    def copy(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Copy the snapshot in `folder` to the new folder `to`, durably, and compare the copy with the seal.

        Return the seal with the times of the copied files.
        """

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how the snapshot in `folder` differs from its seal, None if it does not.

        Compare the inode, size and times of each file, and hash its content only if one of these differs.
        """

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash the files whose times or inode changed since the seal. Return the present times and inodes of the files.

        Return None if no file has changed times or inode, or if the snapshot is damaged.
        """

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash all files, then unpack the snapshot into the new folder `into`. Return the manifest's `about`.

        Return the damage instead if the files are not as sealed.
        """

    def delete(self, folder: Path) -> None:
        """Delete a folder with everything in it. Do nothing if there is no such folder."""

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files that the seal lists, and the folder if it is empty afterwards. Keep other files."""
