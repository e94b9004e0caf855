"""Deploys releases in slots; opens, locks and removes slots."""
