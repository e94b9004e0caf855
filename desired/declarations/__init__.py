"""Reads the declarations of a fleet, and reports every problem in them with its line and column."""
