"""Writes a note and waits until the worker has made it findable."""

from calling import eventually, get, post

post("/notes", title="Harvest", text="Quinces ripen in October.", labels="garden")
eventually("search for quinces", lambda: get("/search", word="Quinces"), ["Harvest"])
