"""Waits until an app answers as it is declared, and watches that it stays up."""
