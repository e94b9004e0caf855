"""Canon: makes the recorded state of a fleet equal to its desired state."""

__version__ = "0.1.0"
