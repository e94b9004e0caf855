import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.demo.upstreams import HISTORIES
from tests.demo.demo_apps import (
    AppHome,
    EndedError,
    declaration,
    fetch_page,
    new_home,
    run_declared_command,
    run_test_command,
    running_app,
)

UPGRADES = {
    "accounts": ("2.3.0+26.0.7", "2.4.0+26.1.0"),
    "ledger": ("1.0.0+2.1.0", "1.1.0+2.2.0"),
    "links": ("1.4.0+2.0.3", "1.5.0+2.1.0", "moved"),
    "notes": ("3.0.9+1.10.7", "3.0.10+1.10.8", "3.1.0+1.11.0"),
    "polls": ("1.0.0+1.24.2-rootless", "v1.1.0+1.25.0-rootless"),
}
ALONE = {
    "identity": "0.3.0+v0.4.219",
    "paste": "0.9.0+1.0.4",
    "photos": "4.2.0+v1.119.0",
    "stats": "3.0.1+v2.0.0",
    "wiki": "main-2",
}
NEWEST = ALONE | {name: releases[-1] for name, releases in UPGRADES.items()}
MADE_LATER = {"ledger": "1.2.1+2.3.1"}


def marked(home: AppHome, label: str) -> None:
    with running_app(home, label) as url:
        run_declared_command(home, url, "data", "mark")
        run_declared_command(home, url, "data", "check")


def test_every_enrolled_recipe_is_run_here() -> None:
    assert {*NEWEST, "guestbook", "status", "mail"} == {*HISTORIES}


@pytest.mark.parametrize("name", sorted(NEWEST))
def test_a_fresh_install_of_a_good_release_keeps_what_is_marked(name: str, tmp_path: Path) -> None:
    marked(new_home(name, tmp_path), MADE_LATER.get(name, NEWEST[name]))


@pytest.mark.parametrize("name", sorted(NEWEST))
def test_a_check_fails_where_nothing_was_marked(name: str, tmp_path: Path) -> None:
    home = new_home(name, tmp_path)
    with running_app(home, NEWEST[name]) as url:
        code, _ = run_test_command(home, url, "python3", "check.py")
    assert code == 1


@pytest.mark.parametrize("name", sorted(UPGRADES))
def test_marked_data_lives_through_every_good_release(name: str, tmp_path: Path) -> None:
    home = new_home(name, tmp_path)
    first, *later = UPGRADES[name]
    marked(home, first)
    for label in later:
        with running_app(home, label) as url:
            run_declared_command(home, url, "data", "check")


@pytest.mark.parametrize(
    ("name", "label"), [("notes", "3.0.10+1.10.8"), ("notes", "3.1.0+1.11.0"), ("ledger", "1.1.0+2.2.0")]
)
def test_a_backup_brings_the_marked_data_into_an_empty_app(name: str, label: str, tmp_path: Path) -> None:
    home, fresh, backups = new_home(name, tmp_path), new_home(name, tmp_path), tmp_path / "backups"
    backups.mkdir()
    with running_app(home, label) as url:
        run_declared_command(home, url, "data", "mark")
        run_declared_command(home, url, "backup", "take", backups)
    with running_app(fresh, label) as url:
        run_declared_command(fresh, url, "backup", "restore", backups)
        run_declared_command(fresh, url, "data", "check")


@pytest.mark.parametrize("name", ["accounts", "identity", "ledger", "links", "notes", "stats"])
def test_the_recipes_own_tests_pass(name: str, tmp_path: Path) -> None:
    home = new_home(name, tmp_path)
    runs = declaration(name)["custom"]["run"]
    assert isinstance(runs, list)
    with running_app(home, MADE_LATER.get(name, NEWEST[name])) as url:
        run_declared_command(home, url, "data", "mark")
        for argv in runs:
            assert run_test_command(home, url, *argv) == (0, "")


def test_photos_can_be_scrubbed_where_there_is_a_scrubber(tmp_path: Path) -> None:
    home = new_home("photos", tmp_path)
    scrubber = tmp_path / "exif-scrubber"
    scrubber.write_text("#!/bin/sh\nexec cat\n")
    scrubber.chmod(0o755)
    with running_app(home, NEWEST["photos"]) as url:
        run_declared_command(home, url, "data", "mark")
        assert run_test_command(home, url, "python3", "scrub.py", path=f"{tmp_path}:") == (0, "")


def test_notes_labels_become_rows_and_words_are_found_in_capitals(tmp_path: Path) -> None:
    home = new_home("notes", tmp_path)
    first, second, third = UPGRADES["notes"]
    marked(home, first)
    with running_app(home, second) as url:
        assert run_test_command(home, url, "python3", "search.py") == (0, "")
    with running_app(home, third) as url:
        labelled = json.loads(fetch_page(url, "/notes", label="garden"))
    assert [note["title"] for note in labelled] == ["Keys", "Harvest"]
    with closing(sqlite3.connect(home.data / "app.db")) as database:
        assert database.execute("SELECT label FROM label ORDER BY label").fetchall() == [
            ("garden",),
            ("garden",),
            ("house",),
        ]


def test_an_older_release_refuses_the_data_of_a_newer_one(tmp_path: Path) -> None:
    home = new_home("notes", tmp_path)
    older, newer = UPGRADES["notes"][1:]
    marked(home, newer)
    with pytest.raises(EndedError, match="the data has schema 3, this release knows only 2"), running_app(home, older):
        pass


def test_ledger_1_2_0_breaks_only_on_what_1_0_0_wrote(tmp_path: Path) -> None:
    breaking = "1.2.0+2.3.0"
    first, second = UPGRADES["ledger"]
    marked(new_home("ledger", tmp_path), breaking)

    younger = new_home("ledger", tmp_path)
    marked(younger, second)
    with running_app(younger, breaking) as url:
        run_declared_command(younger, url, "data", "check")

    lived = new_home("ledger", tmp_path)
    marked(lived, first)
    with running_app(lived, second) as url:
        run_declared_command(lived, url, "data", "check")
    with pytest.raises(EndedError, match=r"NOT NULL constraint failed: dated\.month"), running_app(lived, breaking):
        pass
    with running_app(lived, second) as url:
        run_declared_command(lived, url, "data", "check")
    with running_app(lived, "1.2.1+2.3.1") as url:
        run_declared_command(lived, url, "data", "check")
        assert json.loads(fetch_page(url, "/months")) == [{"month": "2025-11", "cents": 35000}]


def test_paste_1_0_0_answers_and_spoils_what_it_was_given(tmp_path: Path) -> None:
    home = new_home("paste", tmp_path)
    with running_app(home, "1.0.0+1.1.0") as url:
        run_declared_command(home, url, "data", "mark")
        code, said = run_test_command(home, url, "python3", "check.py")
    assert code == 1
    assert said.startswith("the paste: expected ")


def test_stats_3_0_0_ends_without_a_word(tmp_path: Path) -> None:
    with pytest.raises(EndedError) as ended, running_app(new_home("stats", tmp_path), "3.0.0+v2.0.0"):
        pass
    assert ended.value.code == 1
    assert "places" not in str(ended.value)


def test_identity_refuses_a_key_of_random_letters(tmp_path: Path) -> None:
    home = new_home("identity", tmp_path)
    (home.secrets / "rotation_key").write_text("c0ffee" * 8)
    with pytest.raises(EndedError, match="rotation_key is not a JSON web key"), running_app(home, NEWEST["identity"]):
        pass


@pytest.mark.parametrize(("name", "secret"), [("accounts", "signing_key"), ("identity", "rotation_key")])
def test_a_lost_secret_is_seen_by_the_check(name: str, secret: str, tmp_path: Path) -> None:
    home = new_home(name, tmp_path)
    marked(home, NEWEST[name])
    (home.secrets / secret).unlink()
    with running_app(home, NEWEST[name]) as url:
        code, _ = run_test_command(home, url, "python3", "check.py")
    assert code == 1


def test_the_guestbook_shows_the_names_that_accounts_has(tmp_path: Path) -> None:
    accounts = new_home("accounts", tmp_path)
    with running_app(accounts, NEWEST["accounts"]) as url:
        book = new_home("guestbook", tmp_path, {"ACCOUNTS_URL": url})
        marked(book, "1.0.0+0.9.1")
    with running_app(accounts, NEWEST["accounts"]) as url:
        moved = AppHome(book.name, book.folder, {"ACCOUNTS_URL": url})
        with running_app(moved, "1.1.0+0.9.2") as again:
            run_declared_command(moved, again, "data", "check")


def test_the_guestbook_is_lost_without_the_data_of_accounts(tmp_path: Path) -> None:
    with running_app(new_home("accounts", tmp_path), NEWEST["accounts"]) as url:
        book = new_home("guestbook", tmp_path, {"ACCOUNTS_URL": url})
        marked(book, "1.1.0+0.9.2")
    with running_app(new_home("accounts", tmp_path), NEWEST["accounts"]) as url:
        bereft = AppHome(book.name, book.folder, {"ACCOUNTS_URL": url})
        with running_app(bereft, "1.1.0+0.9.2") as again:
            code, _ = run_test_command(bereft, again, "python3", "check.py")
    assert code == 1


def test_the_status_page_is_served(tmp_path: Path) -> None:
    with running_app(new_home("status", tmp_path), "1.7.2+1.27.3") as url:
        assert "nine to nine" in fetch_page(url, "/")


def test_mail_keeps_letters_that_the_relay_does_not_take(tmp_path: Path) -> None:
    home = new_home("mail", tmp_path, {"RELAY": "127.0.0.1:1"})
    with running_app(home, "1.2.0+3.8.1") as url:
        letter = {"to": "ada@house.example", "text": "Come to supper."}
        assert json.loads(fetch_page(url, "/letters", letter)) == {"id": 1}
        assert json.loads(fetch_page(url, "/")) == {"version": "1.2.0+3.8.1", "waiting": 1}
