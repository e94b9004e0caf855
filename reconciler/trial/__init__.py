"""Trials: cold tests of one recipe at one commit, tier by tier."""
