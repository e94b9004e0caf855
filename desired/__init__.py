"""What should be: declarations, the order of versions, and the rule that picks a release."""
