"""Writes fleet folders, and reads the problems in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from desired.declarations.declared import read_fleet
from desired.declarations.problems import DeclarationError

FLEET: Final = """\
format = 1
[fleet]
name = "ci"
"""
RECIPE: Final = """\
[recipe]
upstream = "https://forge.example/notes.git"
"""


def write_fleet(folder: Path, recipes: Mapping[str, str], fleet: str = FLEET) -> Path:
    """Write a fleet folder with these texts as declarations. Returns the folder."""
    (folder / "recipes").mkdir(parents=True)
    (folder / "fleet.toml").write_text(fleet, encoding="utf-8")
    for name, text in recipes.items():
        (folder / "recipes" / name).mkdir()
        (folder / "recipes" / name / "recipe.toml").write_text(text, encoding="utf-8")
    return folder


def problem_texts(folder: Path) -> list[str]:
    """Return the text of each problem, with paths relative to the fleet folder. Empty if the fleet is valid."""
    try:
        read_fleet(folder)
    except DeclarationError as error:
        return [str(problem).removeprefix(f"{folder}/") for problem in error.problems]
    return []
