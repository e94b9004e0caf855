"""The recorded state: everything that is written to the state folder."""
