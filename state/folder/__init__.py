"""The state folder: its paths, its lock, its id, and how its files are written and deleted durably."""
