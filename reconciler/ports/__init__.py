"""What the stages ask of a host: protocols, and the values that cross them."""
