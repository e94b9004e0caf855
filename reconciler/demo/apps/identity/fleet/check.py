"""Proves that the claim is kept and that the key which signed it is still there."""

from calling import expect, get

expect("the claim of hopper", get("/claim", name="hopper")["valid"], True)
