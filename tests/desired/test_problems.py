import os
from pathlib import Path

import pytest

from desired.declarations.declared import read_fleet
from desired.declarations.problems import DeclarationError, Problem, dotted, shown
from tests.fleet_declarations import RECIPE, problem_texts, write_fleet


def test_a_missing_fleet_folder_is_one_problem(tmp_path: Path) -> None:
    assert problem_texts(tmp_path / "fleet") == [f"{tmp_path}/fleet:1:1: is missing"]


def test_a_file_is_no_fleet_folder(tmp_path: Path) -> None:
    (tmp_path / "fleet").touch()
    assert problem_texts(tmp_path / "fleet") == [f"{tmp_path}/fleet:1:1: cannot be read: Not a directory"]


def test_an_empty_fleet_folder_lacks_its_file_and_its_recipes(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    assert problem_texts(tmp_path / "fleet") == ["fleet.toml:1:1: is missing", "recipes:1:1: is missing"]


def test_an_entry_of_recipes_that_is_no_recipe_is_reported(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"Notes": RECIPE, "-x": RECIPE, "x" * 64: RECIPE, "empty": ""})
    recipes = folder / "recipes"
    (recipes / "empty" / "recipe.toml").unlink()
    (recipes / "stray.toml").touch()
    (recipes / "lost").symlink_to("nowhere")
    (recipes / "loop").symlink_to("loop")
    os.mkfifo(recipes / "pipe")
    name = "is not a valid recipe name: a-z, 0-9 and -, at most 63 characters"
    assert problem_texts(folder) == [
        f"recipes/-x:1:1: {name}",
        f"recipes/Notes:1:1: {name}",
        "recipes/empty/recipe.toml:1:1: is missing",
        "recipes/loop:1:1: cannot be read: Too many levels of symbolic links",
        "recipes/lost:1:1: is missing",
        "recipes/pipe:1:1: is not a folder: a recipe is a folder with a recipe.toml",
        "recipes/stray.toml:1:1: is not a folder: a recipe is a folder with a recipe.toml",
        f"recipes/{'x' * 64}:1:1: {name}",
    ]


def test_a_recipe_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    names = ["folder", "latin", "link", "loop", "pipe", "zeros", "long", "deep", "parts", "mark"]
    folder = write_fleet(tmp_path / "fleet", dict.fromkeys(names, RECIPE))
    files = {name: folder / "recipes" / name / "recipe.toml" for name in names}
    for name in ("folder", "link", "loop", "pipe"):
        files[name].unlink()
    files["folder"].mkdir()
    files["link"].symlink_to("elsewhere.toml")
    files["loop"].symlink_to("recipe.toml")
    os.mkfifo(files["pipe"])
    files["latin"].write_bytes("# caf\u00e9".encode("latin-1"))
    files["mark"].write_bytes(b"\xef\xbb\xbfa = 1")
    files["zeros"].write_bytes(bytes(3_000_000))
    files["long"].write_text(f"a = {'9' * 5000}", encoding="utf-8")
    files["deep"].write_text(f"a = {'[' * 900}{']' * 900}", encoding="utf-8")
    files["parts"].write_text(f"{'a.' * 5000}a = 1", encoding="utf-8")
    too_much = "holds a number that is too long, or is nested too deeply"
    expected = {
        "deep": f"1:1: {too_much}",
        "folder": "1:1: cannot be read: Is a directory",
        "latin": "1:1: is not UTF-8",
        "link": "1:1: is missing",
        "long": f"1:1: {too_much}",
        "loop": "1:1: cannot be read: Too many levels of symbolic links",
        "mark": "1:1: is not valid TOML: invalid statement",
        "parts": f"1:1: {too_much}",
        "pipe": "1:1: cannot be read: it is not a regular file",
        "zeros": "1:1: cannot be read: it has more than 1048576 bytes",
    }
    assert problem_texts(folder) == [f"recipes/{name}/recipe.toml:{line}" for name, line in expected.items()]


def test_a_name_that_steers_a_terminal_is_shown_harmless(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f'{RECIPE}"\\u202ex\\u009b\\u001b" = 1\n'})
    hostile = folder / "recipes" / "\x1b[2J\u202e"
    hostile.mkdir()
    (folder / "recipes" / os.fsdecode(b"\xff")).mkdir()
    texts = problem_texts(folder)
    assert len(texts) == 5
    assert all(line.isprintable() for line in texts)
    assert 'recipe."\\u202ex\\x9b\\x1b" is not a known key' in "\n".join(texts)


def test_problems_tell_their_parts_one_by_one(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f"{RECIPE}drive = 'x'\n"})
    with pytest.raises(DeclarationError) as refused:
        read_fleet(folder)
    file = str(folder / "recipes" / "notes" / "recipe.toml")
    assert refused.value.problems == (Problem(file, 3, 1, "recipe.drive is not a known key", "driver"),)
    assert str(refused.value) == f"{file}:3:1: recipe.drive is not a known key; did you mean driver?"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", '"a"'),
        ('"\\\x07', '"\\"\\\\\\x07"'),
        ("x" * 61, f'"{"x" * 60}…"'),
        (True, "true"),
        (5, "5"),
        (-(2**64), "a huge number"),
        (float("inf"), "inf"),
        ([], "a list"),
        ({}, "a table"),
    ],
)
def test_a_value_is_shown_short_and_printable(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_a_path_is_written_as_toml_writes_it() -> None:
    assert dotted(("install", "env", "a b", "steps", 1, 0)) == 'install.env."a b".steps[1][0]'
