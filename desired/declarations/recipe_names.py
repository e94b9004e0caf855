"""Decides which texts are names of recipes."""

import re
from typing import Final

PATTERN: Final = r"[a-z0-9][a-z0-9-]{0,62}"


def is_recipe_name(text: str) -> bool:
    return re.fullmatch(PATTERN, text) is not None
