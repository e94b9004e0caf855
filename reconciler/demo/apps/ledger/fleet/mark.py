"""Enters a month's income and rent, with days as people type them."""

from calling import post

post("/entries", day="03.11.2025", text="Membership fees", cents="125000")
post("/entries", day="24.11.2025", text="Rent", cents="-90000")
