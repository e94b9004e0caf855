"""What outlives a pass: the registry and the snapshots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from state.decisions import Hold, Rollback
from state.drift_record import DriftRecord
from state.ledger_line import LedgerLine
from state.records import Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Records, Seal


class Registry(Protocol):
    """The registry and the ledger, which are in one file. Every call opens the file, and is one transaction.

    All methods raise RegistryError for a damaged file, and AgainLaterError for a full disk or a file that stays locked.
    """

    def read(self) -> Records:
        """Return all records of all recipes; no records if there is no file yet."""

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return all recorded generations of a recipe since it was last forgotten, the newest first.

        Records that cannot be read are left out.
        """

    def lines(self, after: int = 0, kind: str | None = None) -> tuple[LedgerLine, ...]:
        """Return the lines of the ledger with a greater number than `after`, the oldest first.

        If `kind` is given, return only the lines of that kind. Lines that cannot be read are left out.
        """

    def verify(self) -> None:
        """Check the chain of hashes of the whole ledger. Raise RegistryError if a line was changed or is missing."""

    def flush(self) -> None:
        """Flush the last writes of a killed process to the disk. Call this after a crash, before any record is read."""

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the intent of a promotion or rollback that begins, and append `entries` to the ledger.

        Raise RegistryError if the recipe already has an open intent.
        """

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the promoted canonical, delete its intent, and append `entries` to the ledger.

        Raise OnHoldError if the recipe is on hold, RegistryError if `intent` is not recorded.
        """

    def roll_back(
        self, canonical: Canonical, intent: Intent, rollback: Rollback, entries: Sequence[LedgerEntry]
    ) -> None:
        """Record the canonical that is a copy of an older generation, delete its intent, and record the rollback.

        Append `entries` to the ledger. Raise RegistryError if `intent` is not recorded.
        """

    def set_hold(self, hold: Hold, entries: Sequence[LedgerEntry]) -> None:
        """Record a hold, in place of an earlier hold of its recipe, and append `entries` to the ledger."""

    def end_decisions(self, ended: Sequence[Hold | Rollback], entries: Sequence[LedgerEntry]) -> None:
        """Delete these holds and rollbacks, and append `entries` to the ledger.

        Raise RegistryError if one of them is no longer recorded.
        """

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Delete an intent whose promotion is given up, and append `entries` to the ledger.

        Raise RegistryError if `intent` is not recorded.
        """

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None:
        """Replace the memories of these recipes, and append `entries` to the ledger."""

    def record_drift(self, changed: Sequence[DriftRecord], entries: Sequence[LedgerEntry]) -> None:
        """Replace the drift records of these recipes, and append `entries` to the ledger.

        A record without drift is deleted.
        """

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete a recipe's canonicals, its open intent, memory, hold, rollback and drift record.

        Append `entries` to the ledger. Earlier entries of the ledger stay.
        """

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Append `entries` to the ledger."""


class Snapshots(Protocol):
    """Sealed snapshots: each is a folder with snapshot.tar.zst and manifest.json.

    All methods raise SnapshotError if files cannot be read or written, and AgainLaterError if the disk is full.
    """

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack the folder `source` into a snapshot in the new folder `into`, and read it back. Return its seal.

        `about` is stored in the manifest. Raise UnfitDataError for a file or attribute that a snapshot cannot store.
        """

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename the folder of a snapshot to `to`, so that a power cut cannot undo it.

        Return the seal with the files' new times. Raise SnapshotError if the snapshot is damaged or has other files, or
        if `to` exists.
        """

    def copy(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Copy the snapshot in `folder` to the new folder `to`, so that a power cut cannot undo it.

        Compare the copy with `seal`. Return the seal with the times of the copied files. Raise SnapshotError if the
        copy differs; `to` is then not made.
        """

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how the snapshot in `folder` differs from its seal, None if it does not.

        Compare the inode, size and times of each file, and hash the files only if an inode or a time differs.
        """

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash the files of the snapshot in `folder` if an inode or a time of them changed since `seal`.

        Return the present inodes, sizes and times of the files, by name, if the content is as sealed. Return None if no
        inode and no time changed, or if the snapshot is damaged.
        """

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash all files of the snapshot in `folder`, then unpack it into the new folder `into`.

        Return the manifest's `about`. If the files are not as sealed, return the damage instead, and remove `into`.
        """

    def delete(self, folder: Path) -> None:
        """Delete a folder with everything in it. Do nothing if there is no such folder."""

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of the snapshot that has this seal, and the folder if it is empty afterwards.

        Keep other files. Do nothing if the folder has another snapshot, or is missing.
        """
