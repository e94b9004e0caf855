"""Makes what is recorded equal to what should be."""

__version__ = "0.1.0"
