"""The life of a stack: deployed, looked at, scaled to rest and up again, and removed."""
