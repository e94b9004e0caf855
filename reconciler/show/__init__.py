"""Turns reports, canonicals and trials into text, JSON and JUnit XML."""
