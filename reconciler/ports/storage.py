"""What outlives a pass: the registry and the snapshots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from state.records import Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Records, Seal


class Registry(Protocol):
    """The registry and the ledger: one file. Every call opens the file, and is one transaction."""

    def read(self) -> Records: ...

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Return every canonical since the recipe was last forgotten, the present one first."""
        ...

    def verify(self) -> None:
        """Check the hash chain of the whole ledger. Raises RegistryError if a line was changed."""
        ...

    def flush(self) -> None:
        """Flush to disk what a killed process wrote last."""
        ...

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record that a promotion begins."""
        ...

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record the new canonical, end its intent, and append to the ledger, in one transaction."""
        ...

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """End an intent without a promotion."""
        ...

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None: ...

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Delete a recipe's canonicals, its open intent and what is remembered of it. Appends `entries` to the ledger.

        Earlier entries of the ledger stay.
        """
        ...

    def append(self, entries: Sequence[LedgerEntry]) -> None: ...


class Snapshots(Protocol):
    """Sealed snapshots: each is a folder with snapshot.tar and manifest.json."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack `source` into the new folder `into`, flush, and verify. `about` is stored in the manifest."""
        ...

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename a sealed folder durably. Returns the seal with the files' present times."""
        ...

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Return how a snapshot is damaged, None if it is as sealed.

        Compares inode, size and times of each file, and hashes content only if one of these differs.
        """
        ...

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash the files whose times or inode changed since they were sealed. Returns their present times and inodes.

        None if no file changed, or if the snapshot is damaged.
        """
        ...

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash everything, then unpack into the new folder `into`. Returns the manifest's `about`, or the damage."""
        ...

    def delete(self, folder: Path) -> None: ...

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete the files of this snapshot, and the folder if it is then empty. Files of another snapshot stay."""
        ...
