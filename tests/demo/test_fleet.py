import subprocess
import tomllib
from pathlib import Path

import pytest

from desired.versions import parse_version
from reconciler.demo.fleet import damage, make_demo, publish
from reconciler.demo.upstreams import BREAKING, GOOD, HISTORIES, MENDED, MOVED
from reconciler.errors import NeedsPersonError


def git(repository: Path, *words: str) -> str:
    told = subprocess.run(
        ["git", "--git-dir", repository, *words], capture_output=True, text=True, check=True, timeout=60
    )
    return told.stdout.strip()


def upstream(folder: Path, name: str) -> Path:
    return folder / "upstreams" / f"{name}.git"


def refs(folder: Path) -> dict[str, str]:
    names = [path.name.removesuffix(".git") for path in (folder / "upstreams").iterdir()]
    return {name: git(upstream(folder, name), "for-each-ref") for name in names}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "new"
    make_demo(folder)
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    make_demo(tmp_path)
    return tmp_path


def test_two_demos_have_the_same_commits_and_tags(made: Path, fresh: Path) -> None:
    assert refs(made) == refs(fresh)


def test_upstreams_pass_git_fsck_strict(made: Path) -> None:
    for name in HISTORIES:
        assert git(upstream(made, name), "fsck", "--strict", "--no-dangling") == ""


def test_every_upstream_is_declared_by_its_own_address(made: Path) -> None:
    folders = {path.name: path for path in (made / "fleet" / "recipes").iterdir()}
    assert {*folders} == {*HISTORIES}
    for name, folder in folders.items():
        declared = tomllib.loads((folder / "recipe.toml").read_text())
        assert declared["recipe"]["upstream"] == upstream(made, name).as_uri()
        assert git(Path(declared["recipe"]["upstream"].removeprefix("file://")), "rev-parse", "main^{commit}")


def test_every_test_that_is_declared_is_there(made: Path) -> None:
    for folder in (made / "fleet" / "recipes").iterdir():
        declared = tomllib.loads((folder / "recipe.toml").read_text())
        argvs = [*declared.get("data", {}).values(), *declared.get("backup", {}).values()]
        for _, program in argvs + declared.get("custom", {}).get("run", []):
            assert (folder / program).is_file()
            assert (folder / "calling.py").is_file()


def test_polls_newest_version_names_two_commits(made: Path) -> None:
    tags = {
        tag: git(upstream(made, "polls"), "rev-parse", f"{tag}^{{commit}}")
        for tag in git(upstream(made, "polls"), "tag").split()
    }
    versions = {tag: parse_version(tag) for tag in tags}
    newest = max(version.key for version in versions.values() if version)
    commits = {tags[tag] for tag, version in versions.items() if version and version.key == newest}
    assert len(commits) == 2


def test_wiki_has_tags_and_none_is_a_release(made: Path) -> None:
    tags = git(upstream(made, "wiki"), "tag").split()
    assert tags
    assert [tag for tag in tags if parse_version(tag)] == []


def test_links_main_is_ahead_of_its_newest_tag(made: Path) -> None:
    assert git(upstream(made, "links"), "rev-list", "--count", "1.5.0+2.1.0..main") == "1"


def test_the_last_published_status_is_not_the_highest(made: Path) -> None:
    by_date = git(
        upstream(made, "status"), "for-each-ref", "--sort=-creatordate", "--format=%(refname:short)", "refs/tags"
    )
    assert by_date.split()[0] == "1.7.2+1.27.3"


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("keep me")
    with pytest.raises(NeedsPersonError, match="not an empty folder"):
        make_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_a_folder_with_a_blank_and_a_percent_in_its_name_works(tmp_path: Path) -> None:
    folder = tmp_path / "a demo of 100%41"
    make_demo(folder)
    declared = tomllib.loads((folder / "fleet" / "recipes" / "notes" / "recipe.toml").read_text())
    listed = subprocess.run(
        ["git", "ls-remote", "--exit-code", declared["recipe"]["upstream"], "refs/tags/*"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "refs/tags/3.0.10+1.10.8" in listed.stdout


def test_a_release_is_published_on_top_of_what_was_there(fresh: Path) -> None:
    before = git(upstream(fresh, "notes"), "rev-parse", "main")
    publish(fresh, GOOD)
    assert git(upstream(fresh, "notes"), "rev-parse", "3.1.0+1.11.0^{commit}^") == before
    changed = git(upstream(fresh, "notes"), "diff", "--name-only", before, "main").split()
    assert changed == ["app.py", "migrations/003_labels.sql"]


def test_the_fixed_ledger_is_on_a_branch_without_a_tag(fresh: Path) -> None:
    publish(fresh, BREAKING)
    publish(fresh, MENDED)
    ledger = upstream(fresh, "ledger")
    assert git(ledger, "rev-parse", "1.2.0+2.3.0^{commit}") == git(ledger, "rev-parse", "main")
    assert git(ledger, "rev-parse", "mended^") == git(ledger, "rev-parse", "main")
    assert git(ledger, "tag", "--points-at", "mended") == ""


def test_a_moved_tag_names_another_commit(fresh: Path) -> None:
    links = upstream(fresh, "links")
    before = git(links, "rev-parse", "1.5.0+2.1.0^{commit}")
    publish(fresh, MOVED)
    assert git(links, "rev-parse", "1.5.0+2.1.0^{commit}") == git(links, "rev-parse", "main") != before


def test_a_damaged_snapshot_has_its_size_and_other_bytes(tmp_path: Path) -> None:
    older, newest = (tmp_path / "state" / "canonicals" / "notes" / generation for generation in ("9", "10"))
    for folder in (older, newest):
        folder.mkdir(parents=True)
        (folder / "snapshot.tar.zst").write_bytes(bytes(2048))
    assert damage(tmp_path, "notes") == newest / "snapshot.tar.zst"
    after = (newest / "snapshot.tar.zst").read_bytes()
    assert (len(after), after.count(0)) == (2048, 2032)
    assert (older / "snapshot.tar.zst").read_bytes() == bytes(2048)
