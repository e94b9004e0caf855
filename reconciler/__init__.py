"""Canon: brings the recorded state of a fleet to its desired state."""

__version__ = "0.1.0"
