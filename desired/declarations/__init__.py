"""Read the declarations of a fleet, and report every problem in them with its line and column."""
