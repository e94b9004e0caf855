"""Checks every claim of the records against what is really there. Shares no code with what made the records."""
