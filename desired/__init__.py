"""The desired state: a fleet's declarations, the order of versions, and the rule that picks a release."""
