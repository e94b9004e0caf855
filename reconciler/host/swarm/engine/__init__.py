"""Calls of the `docker` command, and the classification of its failures."""
