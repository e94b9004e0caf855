"""Sealed snapshots: a tar and its manifest, written, proved, looked at and unpacked."""
