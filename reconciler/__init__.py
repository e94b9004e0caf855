"""Makes what is recorded equal to what should be."""
