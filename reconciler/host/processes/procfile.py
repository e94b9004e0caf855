"""Reads the Procfile and the .env.sample of a release."""

import re
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import RecipeError
from reconciler.host.lines import content_lines, read_text
from reconciler.host.sample import SAMPLE, Sample, parse_sample

PROCFILE = "Procfile"
# The names of lines that run once at each deployment, before the app gets requests. Other platforms use these names.
ONE_OFF = ("release", "preflight", "postdeploy")

_LINE = re.compile(r"([A-Za-z0-9_-]{1,63})\s*:\s*(\S.*)")


def read_checkout(checkout: Path) -> tuple[Mapping[str, str], Sample]:
    """Read the Procfile and the .env.sample of the release in the folder `checkout`. Return what both declare.

    * Of the Procfile: the shell commands, by the names of their lines.
    * Of the .env.sample: the parsed Sample; an empty one if there is no such file.

    Raise RecipeError if there is no Procfile, or if one of the files is not valid.
    """
    procfile = read_text(checkout / PROCFILE)
    if procfile is None:
        raise RecipeError(f"the release has no {PROCFILE}", "the process driver runs its lines, NAME: COMMAND each")
    return parse_procfile(procfile), parse_sample(read_text(checkout / SAMPLE) or "")


def parse_procfile(text: str) -> Mapping[str, str]:
    """Return the shell commands of a Procfile by the names of their lines, in the order of the file.

    Raise RecipeError if a line is not valid, a name occurs twice, or there is no line `web`.
    """
    commands: dict[str, str] = {}
    for where, line in content_lines(PROCFILE, text):
        match = _LINE.fullmatch(line)
        if match is None:
            raise RecipeError(f"{where}: no process", "a line is NAME: COMMAND")
        if match[1] in commands:
            raise RecipeError(f"{where}: {match[1]} is there twice")
        commands[match[1]] = match[2]
    if "web" not in commands:
        raise RecipeError(f"{PROCFILE} has no web process", "add a line web: COMMAND that listens on 127.0.0.1:$PORT")
    return commands
