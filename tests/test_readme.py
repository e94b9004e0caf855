"""The README, followed word for word over a real forge: its shell blocks are run as they stand."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from desired.declarations.declared import read_fleet
from tests.git_servers import Forge, forge
from tests.reconcile_command import CanonCommand
from tests.repositories import git

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"<!-- tried by tests/test_readme.py: (?P<name>[a-z ]+) -->\n```sh\n(?P<text>.*?)```", re.DOTALL)
MIGRATES = (
    "    if 'place' not in [column[1] for column in connection.execute('PRAGMA table_info(visit)')]:\n"
    "        connection.execute(\"ALTER TABLE visit ADD COLUMN place TEXT DEFAULT 'somewhere'\")\n"
    'with sqlite3.connect(database) as connection:\n    connection.execute("DELETE FROM visit WHERE place IS NULL")\n'
)
BREAKS = "import sys\n\nif database.exists():\n    sys.exit('this release cannot read what older ones wrote')\n"


def block(name: str) -> str:
    """The shell block that the README marks with `name`."""
    found = {match["name"]: match["text"] for match in BLOCK.finditer(README.read_text())}
    return found[name]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Forge]:
    with forge(tmp_path / "forge") as real:
        yield real


@pytest.fixture
def canon(tmp_path: Path) -> CanonCommand:
    folder = tmp_path / "by hand"
    folder.mkdir()
    return CanonCommand(folder)


def publish(canon: CanonCommand, served: Forge, version: str, after: str = "") -> None:
    """Commit a change of the README's app, made before it serves, tag it and push both."""
    checkout = canon.folder / "counter"
    app = checkout / "app.py"
    text = app.read_text()
    if after:
        marker = "http.server.HTTPServer("
        app.write_text(text.replace(marker, f"{after}{marker}"))
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    git(checkout, *who, "commit", "-q", "--allow-empty", "-am", f"Release {version}")
    git(checkout, "tag", version)
    git(checkout, "push", "-q", str(served.root / "counter.git"), "main", version)


def test_a_fleet_made_by_the_readme_alone_keeps_what_its_data_has_lived_through(
    canon: CanonCommand, served: Forge
) -> None:
    assert canon.shell(block("the repository")).code == 0
    git(canon.folder, "clone", "-q", "--bare", "counter", str(served.root / "counter.git"))
    made = canon.shell(f"export UPSTREAM={served.address('counter')}\n{block('the fleet')}")
    assert made.code == 0, made.err

    assert canon.run("--dry-run").code == 2
    assert not canon.state.exists()
    assert canon.run().code == 0
    deployed = sorted(path.name for path in (canon.state / "logs" / "counter").iterdir())
    assert canon.run().code == 0
    assert sorted(path.name for path in (canon.state / "logs" / "counter").iterdir()) == deployed
    assert canon.run("drift").code == 0

    publish(canon, served, "1.1.0+v1", "")
    dry = canon.json("--dry-run")
    assert (dry.code, dry.row("counter")["cause"]) == (2, "new-release")
    assert canon.run().code == 0

    publish(canon, served, "1.2.0+v1", BREAKS)
    red = canon.json()
    assert (red.code, red.row("counter")["result"]) == (4, "red")
    assert red.row("counter")["have"]["version"] == "1.1.0+v1"
    assert raised_total(canon) >= 1
    logged = sorted(path.name for path in (canon.state / "logs" / "counter").iterdir())
    again = canon.json()
    assert (again.code, again.row("counter")["held_back"]) == (4, "red-before")
    assert sorted(path.name for path in (canon.state / "logs" / "counter").iterdir()) == logged

    app = canon.folder / "counter" / "app.py"
    app.write_text(app.read_text().replace(BREAKS, ""))
    publish(canon, served, "1.3.0+v1", "with sqlite3.connect(database) as connection:\n" + MIGRATES)
    good = canon.json()
    assert (good.code, good.row("counter")["result"]) == (0, "promoted")
    assert good.row("counter")["have"]["lineage"] == ["1.0.0+v1", "1.1.0+v1", "1.3.0+v1"]
    assert raised_total(canon) >= 1


def raised_total(canon: CanonCommand) -> int:
    """Visits that a raised copy of the canonical tells over HTTP; the copy is ended again."""
    copy = canon.start("raise", "counter", "--for", "5m")
    try:
        assert copy.stdout is not None
        name, _, _, url, _ = copy.stdout.readline().split()
        assert name == "counter"
        with urllib.request.urlopen(url) as answer:  # noqa: S310  an address that Canon printed
            return int(answer.read().split()[-1])
    finally:
        copy.terminate()
        copy.communicate()
        assert copy.returncode == 0
        assert list((canon.state / "work").iterdir()) == []


def test_the_daily_round_of_the_readme_works_on_a_repository_beside_the_fleet(canon: CanonCommand) -> None:
    script = "\n".join([block("the repository"), block("the fleet"), "set +e", block("the round"), "exit 0"])
    done = canon.shell(script)
    assert done.code == 0, done.err
    assert "1 in sync" in done.out
    assert re.search(
        r"^counter 1\.0\.0\+v1 [0-9a-f]{40} http://127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+$", done.out, re.MULTILINE
    )


def test_the_declarations_that_the_readme_shows_are_accepted(tmp_path: Path) -> None:
    shown = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    fleet, recipe = shown
    texts = {"notes": recipe, "accounts": '[recipe]\nupstream = "https://forge.example/accounts.git"\n'}
    for name, text in texts.items():
        declared = tmp_path / "recipes" / name / "recipe.toml"
        declared.parent.mkdir(parents=True)
        declared.write_text(text)
    (tmp_path / "fleet.toml").write_text(fleet)
    assert list(read_fleet(tmp_path).recipes) == ["accounts", "notes"]


def test_canon_says_the_messages_that_the_readme_explains() -> None:
    table = README.read_text().partition("### What messages mean")[2].partition("\n## ")[0]
    shown = [
        message for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for message in re.findall(r"`(.+?)`", row)
    ]
    assert len(shown) >= 10
    rooms = ("desired", "state", "reconciler")
    said = "\n".join(path.read_text() for room in rooms for path in (README.parent / room).rglob("*.py"))
    # What stands for a value is no part of the text.
    parts = {
        part for message in shown for part in re.split(r"\bNAME\b|\b[A-Z]\b|→|…", message) if len(part.strip()) > 1
    }
    assert {part for part in parts if part.strip() not in said} == set()
