"""The state folder: its paths, lock and id, and how its files are written and deleted so that they survive a crash."""
