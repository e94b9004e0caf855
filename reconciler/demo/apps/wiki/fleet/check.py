"""Proves that the page is there."""

from calling import expect, get

expect("the page Compost", get("/page", page="Compost")["text"], "Turn it every second week.")
