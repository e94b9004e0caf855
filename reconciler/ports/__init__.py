"""What a pass needs from a host: protocols, and the values that are passed through them."""
