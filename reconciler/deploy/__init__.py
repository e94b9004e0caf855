"""Deploys releases in a slot, and owns the slot: its lock, what is left in it, and what is not ours."""
