"""Promotes a tested candidate to the canonical, keeps canonicals running, and deletes old generations."""
