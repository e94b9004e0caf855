"""Promotes tested candidates to canonicals, keeps canonicals running, and deletes old generations."""
