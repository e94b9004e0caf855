"""Calls of Docker's engine and of the `docker` command, and the classification of their failures."""
