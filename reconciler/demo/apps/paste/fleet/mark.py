"""Pastes a text."""

from calling import post
from pasted import TEXT

post("/pastes", text=TEXT)
