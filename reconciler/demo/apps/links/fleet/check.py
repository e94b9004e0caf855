"""Proves that the link leads where it led."""

from calling import expect, get

expect("bylaws leads to", get("/follow", name="bylaws")["address"], "https://house.example/bylaws?year=2025")
