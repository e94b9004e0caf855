"""Proves that both entries are there and that the box holds what they leave."""

from calling import expect, get

found = {(entry["text"], entry["cents"]) for entry in get("/entries")}
expect(
    "marked entries",
    found & {("Membership fees", 125000), ("Rent", -90000)},
    {("Membership fees", 125000), ("Rent", -90000)},
)
expect("the balance", get("/balance")["cents"], 35000)
