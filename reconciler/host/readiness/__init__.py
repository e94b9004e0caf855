"""Waits until an app answers as declared, and watches whether it stays up."""
