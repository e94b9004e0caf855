"""Speaks: turns plans and reports into text and JSON."""
