"""A further visit is added to the totals by the worker."""

from calling import eventually, get, post

post("/visits", page="/menu", network="198.51.100.0")
eventually("what the worker added up", lambda: get("/totals", page="/menu"), {"Ghent": 1})
