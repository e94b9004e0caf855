"""Waits until an app answers as declared, and sees that it stays up."""
