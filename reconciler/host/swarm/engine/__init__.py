"""Calls Docker's engine and the `docker` command, and tells from their messages who is to blame for a failure."""
