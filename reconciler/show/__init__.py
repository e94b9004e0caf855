"""Turns reports, canonicals and trials into text, JSON, JUnit XML and the page of reports."""
