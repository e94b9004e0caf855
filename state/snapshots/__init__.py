"""Sealed snapshots, each of a tar and its manifest: they are written, checked and unpacked here."""
