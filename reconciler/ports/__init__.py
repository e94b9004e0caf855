"""Protocols of what the stages need from a host, and the values that they pass."""
