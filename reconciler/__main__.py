"""The entry point of `python -m reconciler` and of the command `reconcile`."""

import os
import sys

from reconciler.cli import run
from reconciler.cli.standard_streams import flush_or_drop, open_missing


def main() -> None:
    """Run the command line, and exit with its exit code."""
    _require_utf8()
    open_missing()
    code = run(sys.argv[1:])
    flush_or_drop()
    sys.exit(code)


def _require_utf8() -> None:
    """Start this program again in Python's UTF-8 mode if the locale has another encoding.

    Files are then read and written as UTF-8 in every locale. Only the output has the encoding of the locale.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return
    os.environ.setdefault("PYTHONIOENCODING", f"{getattr(sys.stdout, 'encoding', 'ascii')}:backslashreplace")
    os.execv(sys.executable, [sys.orig_argv[0], "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  ourselves


if __name__ == "__main__":
    main()
