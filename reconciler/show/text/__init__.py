"""Reports, canonicals and trials as text for a person."""
