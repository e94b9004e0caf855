"""Turns reports, canonicals and trials into text for people."""
