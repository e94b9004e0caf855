"""Proves that the entry is there and that its number still leads to the same member."""

from calling import expect, get

found = [entry for entry in get("/entries") if entry["text"] == "The engine weaves patterns."]
expect("the marked entry", [entry["writer"] for entry in found], ["lovelace"])
