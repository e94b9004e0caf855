"""Opens, locks and removes slots, and deploys releases in them."""
