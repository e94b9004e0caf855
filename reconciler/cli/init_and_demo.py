"""`reconcile init` and `reconcile demo`: make a new fleet folder."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from reconciler.cli.options import Options, print_line
from reconciler.errors import NeedsPersonError

FLEET: Final = """\
#:schema ./schemas/fleet.schema.json
format = 1

[fleet]
name = "{name}"
# protocols = ["https", "ssh"]   # of upstreams; "http" and "file" must be named to be allowed
# unit = "reconcile.service"     # then only a pass inside this unit promotes

# [defaults.recipe]              # any table of recipe.toml, for all recipes
# driver = "process"
"""


def init(options: Options, path: str) -> int:
    """Make a fleet without recipes in the folder `path`. Return 0, or 1 if stdout cannot be written.

    Raise NeedsPersonError if `path` exists and is not an empty folder.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NeedsPersonError(f"{folder} is there already and not an empty folder", "name a new folder")
    (folder / "recipes").mkdir(parents=True)
    (folder / "schemas").mkdir()
    for schema in ("fleet.schema.json", "recipe.schema.json"):
        (folder / "schemas" / schema).write_bytes(files("desired").joinpath(schema).read_bytes())
    (folder / "fleet.toml").write_text(FLEET.format(name=folder.absolute().name or "fleet"), encoding="utf-8")
    message = f"{folder} is a new fleet; next: make {folder}/recipes/NAME/recipe.toml with [recipe] and its upstream"
    return print_line(options, "init", message)


def demo(options: Options, path: str, *, tell: bool) -> int:
    """Make the demo fleet in the folder `path`. With `tell`, also run its story with real commands.

    Return 0, or 1 if stdout cannot be written. Raise NeedsPersonError if `path` exists and is not an empty folder.
    Raise CanonError if a sentence of the story is not true.
    """
    folder = Path(path)
    from reconciler.demo.fleet import make_demo

    if tell:
        from reconciler.demo.story import tell_story

        return tell_story(folder)
    make_demo(folder)
    return print_line(options, "demo", f"{folder} is made; read {folder}/README")
