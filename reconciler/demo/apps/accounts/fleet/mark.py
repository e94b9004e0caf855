"""Makes an account and lets it sign an invitation."""

from calling import post

made = post("/accounts", name="ada")
post("/invitations", guest="grace", token=made["token"])
