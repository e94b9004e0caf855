"""The text of a recipe in Co-op Cloud's format, and the stack that is made of it."""
