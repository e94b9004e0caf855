"""Reads the declarations of a fleet, and says every problem of theirs with its line and column."""
