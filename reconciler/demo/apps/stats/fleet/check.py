"""Proves that the totals are what they were."""

from calling import expect, get

expect("totals of /bylaws", get("/totals", page="/bylaws"), {"Aarhus": 2, "elsewhere": 1})
