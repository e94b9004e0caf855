r"""Replaces characters that cannot be printed by escapes such as `\n`."""


def escape_unprintable(text: str) -> str:
    r"""Return `text` with each control, format or surrogate character escaped, such as `\n`, `\x1b` or `\u202e`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
