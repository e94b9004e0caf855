"""A text in which blanks matter."""

TEXT = "def double(number):\n    return 2 * number\n"
