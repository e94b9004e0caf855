"""Writes a page."""

from calling import post

post("/pages", page="Compost", text="Turn it every second week.")
