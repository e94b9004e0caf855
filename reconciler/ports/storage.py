"""The protocols of what outlives a pass: the registry with its ledger, and the snapshots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from state.decisions import Hold, Rollback
from state.drift_record import DriftRecord
from state.ledger_line import LedgerLine
from state.records import Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Records, Seal

if TYPE_CHECKING:  # most commands read no manifest
    from state.snapshots.manifest import Manifest


class Registry(Protocol):
    """The registry and the ledger, which are in one file. Every call opens the file, and is one transaction.

    All methods raise RegistryError for a damaged file. They raise AgainLaterError if the disk is full, or if the file
    stays locked.
    """

    def read(self) -> Records:
        """Return the records of all recipes. If there is no file yet, the returned records are empty."""

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return the recorded generations of a recipe, the newest first.

        Generations from before the recipe was last forgotten are left out, and so are records that cannot be read.
        """

    def lines(self, after: int = 0, kind: str | None = None) -> tuple[LedgerLine, ...]:
        """Return the lines of the ledger whose number is greater than `after`, the oldest first.

        If `kind` is not None, return only lines of that kind, such as "promoted". Leave out lines that cannot be read.
        """

    def verify(self) -> None:
        """Check the chain of hashes of the whole ledger. Raise RegistryError if a line was changed or is missing."""

    def flush(self) -> None:
        """Write the registry to the disk, so that a power cut cannot undo what is read from it afterwards.

        Call this after a crash, before any record is read. The process that crashed may not have done it.
        """

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record that a promotion or rollback begins, as the intent `intent`. Append `entries` to the ledger.

        Raise RegistryError if the recipe already has an open intent.
        """

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the canonical as promoted, and delete its intent. Append `entries` to the ledger.

        Raise OnHoldError if the recipe is on hold, RegistryError if `intent` is not recorded.
        """

    def roll_back(
        self, canonical: Canonical, intent: Intent, rollback: Rollback, entries: Sequence[LedgerEntry]
    ) -> None:
        """Record a rollback, and the canonical that results from it. Delete the intent. Append `entries` to the ledger.

        `canonical` is a copy of an older generation. Raise RegistryError if `intent` is not recorded.
        """

    def set_hold(self, hold: Hold, entries: Sequence[LedgerEntry]) -> None:
        """Record a hold, in place of an earlier hold of the same recipe. Append `entries` to the ledger."""

    def end_decisions(self, ended: Sequence[Hold | Rollback], entries: Sequence[LedgerEntry]) -> None:
        """Delete the holds and rollbacks `ended`, and append `entries` to the ledger.

        Raise RegistryError if one of them is no longer recorded.
        """

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Delete the intent of a promotion or rollback that is given up. Append `entries` to the ledger.

        Raise RegistryError if `intent` is not recorded.
        """

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None:
        """Record each of `memories`, in place of the earlier memory of its recipe.

        Append `entries` to the ledger.
        """

    def record_drift(self, changed: Sequence[DriftRecord], entries: Sequence[LedgerEntry]) -> None:
        """Record each of `changed` in place of the earlier drift record of its recipe. Append `entries` to the ledger.

        If a new record has no differences, only delete the earlier one.
        """

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete all records of a recipe: its canonicals, open intent, memory, hold, rollback and drift record.

        Append `entries` to the ledger, in which earlier lines stay.
        """

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Append `entries` to the ledger."""


class Snapshots(Protocol):
    """Packs, checks and unpacks snapshots. Each one is a folder with snapshot.tar.zst and manifest.json.

    All methods raise SnapshotError if files cannot be read or written, and AgainLaterError if the disk is full.
    """

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack the folder `source` into a snapshot in the new folder `into`. Read the snapshot back. Return its seal.

        `about` has facts on the data, such as the recipe and version, which are stored in the manifest. Raise
        UnfitDataError for a file or attribute that a snapshot cannot store.
        """

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename the folder of a snapshot from `folder` to `to`. Return the seal with the new times of the files.

        Once this call has returned, a power cut cannot undo the rename. Raise SnapshotError if the snapshot does not
        match `seal`, if `folder` has other files too, or if `to` exists.
        """

    def copy(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Copy the snapshot in `folder` to the new folder `to`. Return the seal with the times of the copied files.

        Once this call has returned, a power cut cannot undo the copy. Raise SnapshotError if the copy does not match
        `seal`; then `to` does not exist.
        """

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how the snapshot in `folder` differs from its seal; None if it does not differ.

        The inode, size and times of each file are compared with the seal. The files are hashed only if one of these
        values differs.
        """

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash the files of the snapshot in `folder` if an inode or a time has changed since `seal`.

        * If nothing has changed, return None.
        * If the content is still as sealed, return the present inodes, sizes and times of the files, by name.
        * If the snapshot is damaged, or changes meanwhile, return None.
        """

    def manifest(self, folder: Path, seal: Seal) -> "Manifest | Damaged":
        """Return the manifest of the snapshot in `folder`. If the manifest is not as `seal` says, return its damage.

        The data of the snapshot is not read.
        """

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Check all files of the snapshot in `folder` by the hashes in `seal`, then unpack it into a new folder `into`.

        Return what the manifest stores as `about`. If a file is not as sealed, return the damage instead, and remove
        `into`.
        """

    def delete(self, folder: Path) -> None:
        """Delete a folder with everything in it. Do nothing if there is no such folder."""

    def has_sealed(self, folder: Path, seal: Seal) -> bool:
        """Return whether `folder` has files that `delete_sealed` would delete for the same `seal`."""

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of the snapshot with this seal. Delete the folder too if it is empty afterwards.

        Other files are kept. Do nothing if the folder is missing, or has a snapshot with another seal.
        """
