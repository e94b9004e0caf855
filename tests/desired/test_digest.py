import os
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.digest import declaration_digest, files_digest
from desired.model import Install, Keep, Ready, Recipe, TierName, Upgrade, WayName, Ways


def make(folder: Path) -> Path:
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "recipe.toml").write_text("[recipe]\n", encoding="utf-8")
    (folder / "sub" / "check.py").write_text("print(1)\n", encoding="utf-8")
    (folder / "sub" / "check.py").chmod(0o755)
    (folder / "link").symlink_to("sub/check.py")
    (folder / os.fsdecode(b"\xff")).write_bytes(b"")
    return folder


def digest_of(folder: Path) -> str:
    return files_digest({"recipe": folder}).whole


def relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte of a file": lambda folder: (folder / "recipe.toml").write_text("[recipf]\n", encoding="utf-8"),
    "an executable bit": lambda folder: (folder / "sub" / "check.py").chmod(0o644),
    "a name": lambda folder: (folder / "recipe.toml").rename(folder / "recipe.tomk"),
    "a place": lambda folder: (folder / "recipe.toml").rename(folder / "sub" / "recipe.toml"),
    "a new empty file": lambda folder: (folder / ".hidden").touch(),
    "a new folder": lambda folder: (folder / "new").mkdir(),
    "a lost folder": lambda folder: (folder / "sub" / "empty").rmdir(),
    "a link's target": lambda folder: relink(folder / "link", "recipe.toml"),
    "a link become what it names": lambda folder: shutil.move(
        shutil.copy(folder / "link", folder / "x"), folder / "link"
    ),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
}


def test_a_copy_has_the_same_digest_whatever_its_place_and_times(tmp_path: Path) -> None:
    first = make(tmp_path / "first")
    copy = shutil.copytree(first, tmp_path / "elsewhere" / "copy", symlinks=True)
    os.utime(copy / "recipe.toml", (0, 0))
    (copy / "recipe.toml").chmod(0o600)
    assert digest_of(first) == digest_of(copy)
    assert digest_of(first).startswith("sha256:")
    assert len(digest_of(first)) == len("sha256:") + 64


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_changes_with(tmp_path: Path, change: str) -> None:
    folder = make(tmp_path / "recipe")
    before = digest_of(folder)
    CHANGES[change](folder)
    assert digest_of(folder) != before


def test_a_folder_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_of(tmp_path / "absent")


def test_a_link_in_a_circle_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    assert digest_of(tmp_path) == digest_of(tmp_path)


names = st.text("ab", min_size=1, max_size=3)
trees = st.dictionaries(
    names, st.one_of(st.binary(max_size=3), st.dictionaries(names, st.binary(max_size=3), max_size=2))
)


@given(trees, trees)
def test_two_folders_have_one_digest_exactly_if_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, object], other: dict[str, object]
) -> None:
    def write(folder: Path, tree: dict[str, object]) -> Path:
        folder.mkdir()
        for name, content in tree.items():
            if isinstance(content, bytes):
                (folder / name).write_bytes(content)
            elif isinstance(content, dict):
                write(folder / name, content)
        return folder

    root = tmp_path_factory.mktemp("trees")
    assert (digest_of(write(root / "one", one)) == digest_of(write(root / "other", other))) == (one == other)


def test_the_declarations_file_is_distinguished_from_the_other_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "recipe")
    (folder / "sub" / "recipe.toml").touch()
    before = files_digest({"notes": folder})
    (folder / "recipe.toml").write_text("# another word\n[recipe]\n", encoding="utf-8")
    after = files_digest({"notes": folder})
    assert (before.whole != after.whole, before.tests == after.tests) == (True, True)
    (folder / "sub" / "recipe.toml").write_text("a test's own", encoding="utf-8")
    assert files_digest({"notes": folder}).tests != after.tests


settings = st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["", "1", "2"]), max_size=3)


@given(settings, settings, st.sampled_from([60, 600]), st.sampled_from([60, 600]))
def test_two_declarations_have_one_digest_exactly_if_they_say_the_same(
    one: dict[str, str], other: dict[str, str], seconds: int, later: int
) -> None:
    def declared(env: dict[str, str], timeout: int, folder: str) -> Recipe:
        turned = dict(reversed(env.items())) if folder == "here" else env
        ready = Ready(timeout=timedelta(seconds=timeout))
        return Recipe(
            "notes", "https://forge.example/notes.git", Path(folder), install=Install(env=turned), ready=ready
        )

    a, b = declared(one, seconds, "here"), declared(other, later, "there")
    assert (declaration_digest(a) == declaration_digest(b)) == (one == other and seconds == later)


def test_what_only_ways_look_at_does_not_count() -> None:
    plain = Recipe("notes", "https://forge.example/notes.git", Path("here"))
    others = [evolve(plain, upgrade=Upgrade(also=("1.0.0",))), evolve(plain, ways=Ways((WayName.LEAP,)))]
    assert {declaration_digest(each) for each in (plain, *others)} == {declaration_digest(plain)}
    gated = evolve(plain, ways=Ways(gates=(WayName.LEAP,)))
    assert declaration_digest(gated) != declaration_digest(evolve(gated, upgrade=Upgrade(also=("1.0.0",))))


def test_every_part_of_a_declaration_counts() -> None:
    plain = Recipe("notes", "https://forge.example/notes.git", Path("here"))
    others = [
        evolve(plain, driver="swarm"),
        evolve(plain, review=date(2027, 3, 1)),
        evolve(plain, tiers={TierName.CUSTOM: "why"}),
        evolve(plain, canonical=evolve(plain.canonical, keep=Keep.RUNNING)),
        evolve(plain, ready=evolve(plain.ready, http=None, tcp=True)),
        evolve(plain, ways=Ways(gates=(WayName.BACK,))),
        evolve(plain, custom=evolve(plain.custom, run=(("a", "b"),))),
        evolve(plain, custom=evolve(plain.custom, run=(("a",), ("b",)))),
    ]
    assert len({declaration_digest(each) for each in (plain, *others)}) == len(others) + 1


def test_the_ways_that_change_nothing_do_not_count() -> None:
    plain = Recipe("notes", "https://forge.example/notes.git", Path("here"))
    for gates in ((), (WayName.BACK,)):
        tried = [evolve(plain, ways=Ways(run, gates)) for run in ((), (WayName.STOP,))]
        assert len({declaration_digest(each) for each in tried}) == 1
