"""The desired state: what a fleet declares, the order of versions, and which release is wanted."""
