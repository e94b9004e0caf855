"""Makes a link."""

from calling import post

post("/links", name="bylaws", address="https://house.example/bylaws?year=2025")
