"""Proves that both votes count, once each."""

from calling import expect, get

expect("the result", get("/result", question="New roof?"), {"no": 1, "yes": 1})
