"""A self-made fleet that shows everything."""
