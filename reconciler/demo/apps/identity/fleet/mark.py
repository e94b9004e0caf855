"""Claims a name."""

from calling import post

post("/claims", name="hopper")
