"""Ways: what is tried of a release with its sealed data, beside the tiers of its trial (the way back, the stop)."""
