"""`reconcile report --html FILE` over a real state folder."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.cli.main import reconcile
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet

README = Path(__file__).parents[2] / "README.md"


def test_the_page_is_written_and_shows_the_fleet(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    file = settled.folder / "canon.html"
    done = settled.json("report", "--html", str(file))
    assert (done.code, done.document["line"]) == (0, f"the page is in {file}")
    page = file.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{FIRST}" in page
    assert "new-release" in page
    assert file.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in settled.folder.glob("*canon*")] == ["canon.html"]


def test_offline_no_upstream_is_asked(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    page = settled.run("report", "--offline", "--html", "-").out
    assert "Upstream was last seen by a pass" in page
    assert SECOND not in page


def test_the_free_space_is_on_the_page_before_there_is_a_state_folder(jot: OneRecipeFleet) -> None:
    assert not Path(jot.state).exists()
    page = jot.run("report", "--offline", "--html", "-").out
    assert "are free on the disk of the state folder" in page


def test_a_changed_ledger_is_on_the_page_and_ends_with_1(settled: OneRecipeFleet) -> None:
    with closing(sqlite3.connect(settled.state / "canon.db")) as connection, connection:
        connection.execute("DROP TRIGGER ledger_is_never_rewritten")
        connection.execute("UPDATE ledger SET recipe = 'jott' WHERE seq = 3")
    said = settled.run("report", "--html", "-")
    assert said.code == 1
    assert "line 3 was changed; what this page says of the past may be wrong" in said.out


@pytest.mark.parametrize("file", ["page.txt", "canon.db", "no/such/folder/page.html", ""])
def test_a_file_that_can_be_no_page_is_a_mistake_of_the_user(promoted: OneRecipeFleet, file: str) -> None:
    said = promoted.run("report", "--html", file)
    assert (said.code, said.out) == (64, "")
    assert promoted.run("report").code == 64


def test_an_object_and_a_page_cannot_both_go_to_stdout(promoted: OneRecipeFleet) -> None:
    assert promoted.json("report", "--html", "-").code == 64


def test_the_help_and_the_readme_say_when_a_report_ends_with_1() -> None:
    said = "0: it was written; 1: it could not be, or the ledger was changed, which the page says first"
    readme = README.read_text("utf-8")
    for text in (reconcile.commands["report"].help or "", readme):
        assert said in " ".join(text.split())


def test_the_readme_says_what_the_unit_needs_to_write_the_page() -> None:
    text = " ".join(README.read_text("utf-8").partition("### A page of the fleet")[2].partition("### ")[0].split())
    assert "ExecStopPost=-/opt/canon/bin/reconcile report --offline --html /srv/www/canon.html" in text
    for said in ("/usr/bin/reconcile with the package", "belong to the user of the unit", "The `-` keeps"):
        assert said in text
