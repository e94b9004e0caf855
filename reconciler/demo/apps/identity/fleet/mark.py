"""Registers the name "hopper" with the app."""

from calling import post

post("/claims", name="hopper")
