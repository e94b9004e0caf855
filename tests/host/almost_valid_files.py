"""Generates files of a repository that are almost valid, so that each rule of their parser is tested."""

import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import event
from hypothesis import strategies as st

from reconciler.errors import RecipeError

T = TypeVar("T")

_WORDS = ["web", "worker", "PATH", "CANON_X", "A", "SECRET_X", "_VERSION=v1", "length=", "32", "0", "charset=", "hex"]
_SIGNS = ["\n", "\n", " ", " # ", ":", "=", "'", '"', "\\", "$", "export ", "\r\n", "\0", "\ufeff", "\x85", "\u2028"]
_SCRAPS = st.lists(st.sampled_from(_WORDS) | st.sampled_from(_SIGNS)).map("".join) | st.text()
_WHOLE = st.sampled_from(["web: x\n", "A=1\n", "web: x\nworker:", "A='b'", "export A=1\n", ""])

TEXTS = st.builds(str.__add__, _WHOLE, _SCRAPS)


def parse_or_refuse(parse: Callable[[str], T], text: str, file: str) -> T | None:
    """Return what `parse` returns; None if it raises, which has to be one line that names the file."""
    try:
        return parse(text)
    except RecipeError as refusal:
        event("refused")
        named = re.fullmatch(rf"{re.escape(file)}(:\d+:)? [^\n]+", refusal.message)
        return None if named else pytest.fail(refusal.message)
