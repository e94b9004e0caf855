"""Reads a recipe in Co-op Cloud's format, and makes the compose file of its stack."""
