"""What outlives a pass: the registry and the snapshots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from state.records import Canonical, Damaged, FileSeal, Intent, LedgerEntry, Memory, Records, Seal


class Registry(Protocol):
    """The registry and the ledger: one file, one transaction a call. Every call opens it anew."""

    def read(self) -> Records: ...

    def generations(self, recipe: str) -> tuple[Canonical, ...]:
        """Every canonical that the recipe had since it was last forgotten, the present one first."""
        ...

    def verify(self) -> None:
        """Follow the ledger's whole chain; raises RegistryError where a line is not as it was written."""
        ...

    def flush(self) -> None:
        """Flush what a dead process may have written last, before anything is believed."""
        ...

    def begin(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """Record that a promotion begins."""
        ...

    def commit(self, canonical: Canonical, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """The one transaction of a promotion: the record, the end of its intent, the ledger."""
        ...

    def abandon(self, intent: Intent, entries: Sequence[LedgerEntry]) -> None:
        """End an intent without a promotion."""
        ...

    def remember(self, memories: Sequence[Memory], entries: Sequence[LedgerEntry]) -> None: ...

    def forget(self, recipe: str, entries: Sequence[LedgerEntry]) -> None:
        """Drop the canonical and the memory of a recipe; the ledger keeps that they were."""
        ...

    def append(self, entries: Sequence[LedgerEntry]) -> None: ...


class Snapshots(Protocol):
    """Sealed folders: snapshot.tar and manifest.json."""

    def seal(self, source: Path, into: Path, about: Mapping[str, object]) -> Seal:
        """Pack `source` into the new folder `into`, flush, and verify what was written; `about` is kept with it."""
        ...

    def move(self, folder: Path, to: Path, seal: Seal) -> Seal:
        """Rename a sealed folder durably; returns the seal as the files look now."""
        ...

    def find_damage(self, folder: Path, seal: Seal) -> Damaged | None:
        """Trust files that look as they did when sealed, hash them otherwise."""
        ...

    def rehash(self, folder: Path, seal: Seal) -> Mapping[str, FileSeal] | None:
        """Hash files that look other than when sealed: how they look now; None where none does, or all is not well."""
        ...

    def unpack(self, folder: Path, seal: Seal, into: Path) -> Mapping[str, object] | Damaged:
        """Hash everything, then unpack into the new folder `into`; returns the manifest's `about`."""
        ...

    def delete(self, folder: Path) -> None: ...

    def delete_sealed(self, folder: Path, seal: Seal) -> None:
        """Delete a snapshot's own files, and its folder where nothing else lies in it; another snapshot's stay."""
        ...
