"""Checks every claim of the records against what is really there, and shares no code with what made these records."""
