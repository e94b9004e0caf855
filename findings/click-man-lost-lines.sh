#!/usr/bin/env bash
# click-man 0.6.0 with click 8.5.1: a man page that lacks the epilog, and every line of the help that begins with a dot.
#
# click-man writes a page for each command of a click program. The epilog, in which programs keep their examples and
# exit codes, is in `--help` and in no page. The help is written without escaping: a line that begins with a dot, such
# as the name of a hidden file, is taken for a request to the formatter, which drops it, so a sentence loses its end
# without any error. `man` exits 0 for both; with `--warnings` it names the unknown request.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$folder/packages" \
  click==8.5.1 click-man==0.6.0

cat >"$folder/page.py" <<'PYTHON'
import sys

import click
from click_man.core import generate_man_page


@click.command(epilog="Example: keep --all")
def keep() -> None:
    """Keep files.

    \b
    It reads the names of files to leave out from
    .keepignore in the current folder.
    """


if sys.argv[1:] == ["--help"]:
    keep.main(["--help"], prog_name="keep")
print(generate_man_page(click.Context(keep, info_name="keep"), version="1.0"))
PYTHON
export PYTHONPATH=$folder/packages
python3 "$folder/page.py" --help >"$folder/help"
python3 "$folder/page.py" >"$folder/keep.1"
MANWIDTH=80 man --local-file "$folder/keep.1" >"$folder/shown" 2>"$folder/errors"
for words in 'Example: keep --all' '.keepignore'; do
  echo "$words: $(grep -cF "$words" "$folder/help" || true) in --help, $(grep -cF "$words" "$folder/shown" || true) in man"
done | tee "$folder/seen"
[[ $(cat "$folder/seen") == $'Example: keep --all: 1 in --help, 0 in man\n.keepignore: 1 in --help, 0 in man' ]]
