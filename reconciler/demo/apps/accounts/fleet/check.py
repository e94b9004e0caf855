"""Proves that the account is there and that its old signature is still valid: so the key is the same."""

from calling import expect, get

signed = [invitation for invitation in get("/invitations") if invitation["guest"] == "grace"]
expect("grace's invitations", len(signed), 1)
expect("who invited grace", get("/account", id=str(signed[0]["by"]))["name"], "ada")
