"""Visits a page from two places and waits until the worker has added it all up."""

from calling import eventually, get, post

for network in ("192.0.2.0", "192.0.2.0", "203.0.113.0"):
    post("/visits", page="/bylaws", network=network)
eventually("what the worker added up", lambda: get("/totals", page="/bylaws"), {"Aarhus": 2, "elsewhere": 1})
