import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.sample import parse_sample
from reconciler.host.swarm.recipe.recipe import (
    SwarmRecipe,
    check_inside,
    compose_files,
    read_recipe,
)
from reconciler.ports.app_secrets import SecretNeed
from tests.folders import scratch_folder

# ---- files ----


def test_a_release_is_read_without_running_anything_of_it(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n")
    (tmp_path / "abra.sh").write_text("touch ran\nexport APP_INI_VERSION=v1\n")
    (tmp_path / ".env.sample").write_text("TYPE=notes\nSECRET_A_VERSION=v1\nSECRET_KEY_VERSION=v3 # generate=false\n")
    recipe = read_recipe(tmp_path)
    assert recipe.exports == {"APP_INI_VERSION": "v1"}
    assert recipe.sample.secrets == (SecretNeed("a", 32), SecretNeed("key", None))
    assert recipe.sample.versions == {"a": "v1", "key": "v3"}
    assert not (tmp_path / "ran").exists()


def test_a_release_needs_a_compose_file_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"the release has no compose.yml"):
        read_recipe(tmp_path)
    (tmp_path / "compose.yml").touch()
    assert read_recipe(tmp_path) == SwarmRecipe(parse_sample(""), {})


@pytest.mark.parametrize("name", ["compose.yml", ".env.sample", "abra.sh"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large", "binary"])
def test_a_file_that_is_none_of_the_releases_own_text_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "compose.yml").touch()
    path = tmp_path / name
    path.unlink(missing_ok=True)
    make: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to("/etc/hostname"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "large": lambda: path.write_bytes(b"#" * 70_000),
        "binary": lambda: path.write_bytes(b"# \xff\n"),
    }
    make[kind]()
    with pytest.raises(RecipeError, match=rf"^{name}"):
        read_recipe(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A release with files, links and folders of every kind, beside a file that is none of its own."""
    folder = tmp_path / "checkout"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.yml").touch()
    (tmp_path / "checkout-2").mkdir()
    (tmp_path / "checkout-2" / "compose.yml").touch()
    for name in ("compose.yml", "compose.a.yml", "folder/compose.yml"):
        (folder / name).touch()
    for name, target in {
        "within.yml": "folder/compose.yml",
        "out.yml": "../outside.yml",
        "absolute.yml": "/etc/hostname",
        "dangling.yml": "nowhere.yml",
        "circle.yml": "circle.yml",
        "up": "..",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.yml")
    return folder


@pytest.mark.parametrize(
    ("named", "files"),
    [
        (None, ["compose.yml"]),
        ("compose.yml", ["compose.yml"]),
        ("compose.yml:compose.a.yml", ["compose.yml", "compose.a.yml"]),
        (":compose.a.yml::", ["compose.a.yml"]),
        ("folder/../compose.yml", ["folder/../compose.yml"]),
        ("within.yml", ["within.yml"]),
    ],
)
def test_the_compose_files_are_those_named(checkout: Path, named: str | None, files: list[str]) -> None:
    told = {} if named is None else {"COMPOSE_FILE": named}
    assert compose_files(told, checkout) == tuple(checkout / name for name in files)


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("../outside.yml", "is not within the release"),
        ("../checkout-2/compose.yml", "is not within the release"),
        ("/etc/hostname", "is not within the release"),
        ("out.yml", "is not within the release"),
        ("absolute.yml", "is not within the release"),
        ("up/outside.yml", "is not within the release"),
        ("nowhere.yml", "the release does not have"),
        ("dangling.yml", "the release does not have"),
        ("circle.yml", "the release does not have"),
        ("x" * 300, "the release does not have"),
        ("a\0b", "the release does not have"),
        ("\udcff", "the release does not have"),
        ("folder", "is no file"),
        ("pipe.yml", "is no file"),
        (".", "is no file"),
    ],
)
def test_a_compose_file_that_is_none_of_the_releases_own_is_refused(checkout: Path, named: str, why: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        compose_files({"COMPOSE_FILE": f"compose.yml:{named}"}, checkout)
    assert refusal.value.message.endswith(why)
    assert refusal.value.message.isprintable()


STEPS = st.lists(st.sampled_from(["..", ".", "folder", "up", "circle.yml", "checkout", "etc", ""]), max_size=5)
LAST = st.sampled_from(["compose.yml", "compose.yml", "hostname", "."])


@given(STEPS, LAST, st.sampled_from(["", "", "", "/"]))
def test_no_path_leads_out_of_a_release(steps: list[str], last: str, root: str) -> None:
    with scratch_folder() as folder:
        checkout = folder / "checkout"
        (checkout / "folder").mkdir(parents=True)
        for path, text in {checkout / "compose.yml": "ours", folder / "compose.yml": "theirs"}.items():
            path.write_text(text)
        (checkout / "up").symlink_to("..")
        (checkout / "circle.yml").symlink_to("folder/../circle.yml")
        path = checkout / (root + "/".join([*steps, last]))
        try:
            check_inside(checkout, path, "it")
        except RecipeError:
            event("refused")
        else:
            event("taken")
            assert path.read_text() == "ours"
