"""Trials: the cold test of one recipe at one commit, tier by tier."""
