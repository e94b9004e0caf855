"""Checks names of refs by their text alone. git is not asked."""

import re
from typing import Final

LONGEST: Final = 1000
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# In the order of the messages: the first one that is found is told. The rules are those of `git help check-ref-format`.
_FORBIDDEN: Final = (
    # Git would take it for an option in some places. In full (refs/heads/-x) it can be named.
    (re.compile(r"^-"), "begins with a dash"),
    (re.compile(r"[\x00-\x1f\x7f]"), "has a control character"),
    (re.compile(r"[ ~^:?*\[\\]"), "has a blank or one of ~ ^ : ? * [ \\"),
    (re.compile(r"\.\."), "has two dots in a row"),
    (re.compile(r"@\{"), "has @{"),
    (re.compile(r"^/|//|/$"), "has a slash at an end, or two in a row"),
    (re.compile(r"(?:^|/)\."), "has a part that begins with a dot"),
    (re.compile(r"\.lock(?:/|$)"), "has a part that ends with .lock"),
    (re.compile(r"\.$"), "ends with a dot"),
)


def ref_fault(ref: str) -> str | None:
    """Return why `ref` cannot be the name of a branch, tag, commit or other ref; None if it can.

    The text continues a sentence that begins with "it", such as "is empty".
    """
    if not ref:
        return "is empty"
    if len(ref.encode("utf-8", "surrogateescape")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    return next((fault for pattern, fault in _FORBIDDEN if pattern.search(ref)), None)


def is_full_name(ref: str) -> bool:
    """Return whether `ref` is the full name of a ref, such as "refs/heads/main" or "refs/pull/7/head"."""
    return ref.startswith("refs/")


def is_commit_id(ref: str) -> bool:
    """Return whether `ref` is a whole commit id.

    A branch or tag that is named like a commit id has to be given by its full name.
    """
    return _COMMIT.fullmatch(ref) is not None
