"""Reads a recipe in Co-op Cloud's format, and makes the compose configuration of its stack."""
