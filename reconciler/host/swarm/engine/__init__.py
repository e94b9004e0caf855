"""Docker's own command: how it is called, what it answers, and whom its failures blame."""
