"""Sealed snapshots: write, verify, check and unpack a tar and its manifest."""
