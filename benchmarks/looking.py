"""Compares commands that look with a dry run of the same fleet: `python -m benchmarks.looking [RECIPES] [ROUNDS]`.

Every recipe has a mirror, a canonical, lines in the ledger, and tags with names of its own; every third is a release
behind. lighttpd answers over HTTP with files, so that upstreams cost nothing. The table has ratios to the dry run.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.asking_upstreams import table
from benchmarks.far_upstreams import write_answers
from benchmarks.paired_rounds import Way, end_on_sigterm, measure
from benchmarks.starting import NOW, make_fleet
from state.records import LedgerEntry
from state.registry.registry import SqliteRegistry
from tests.git_servers import free_port, wait_until_open
from tests.repositories import UpstreamRepository

DRY_RUN = "reconcile --dry-run"
TAGS = 40
PASSES = 50
_PEELED = "--format=%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end) %(refname:short)"
_CONFIGURATION = """\
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.errorlog = "{root}/../error.log"
$HTTP["url"] =~ "refs" {{ mimetype.assign = ("" => "application/x-git-upload-pack-advertisement") }}
else {{ mimetype.assign = ("" => "application/x-git-upload-pack-result") }}
"""


@contextmanager
def canned_server(folder: Path) -> Iterator[str]:
    """Serve the repositories' answers below `folder`/answers, and yield the address."""
    port = free_port()
    (folder / "answers").mkdir()
    (folder / "lighttpd.conf").write_text(_CONFIGURATION.format(port=port, root=folder / "answers"))
    program = shutil.which("lighttpd", path="/usr/local/sbin:/usr/sbin:/usr/bin") or "lighttpd"
    server = subprocess.Popen([program, "-D", "-f", str(folder / "lighttpd.conf")])
    try:
        wait_until_open(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def fleet_with_history(folder: Path, size: int, forge: str) -> list[str]:
    """Make a fleet with mirrors, a ledger, and the answers of its upstreams. Return the options that name it."""
    write_answers(folder / "first", TAGS)
    upstream = UpstreamRepository(folder / "first.git")
    commits = dict(line.split(" ")[::-1] for line in upstream.git("for-each-ref", _PEELED).splitlines())
    newest, older = (f"1.{number}.0+v2.{number}" for number in (TAGS - 1, TAGS - 2))
    releases = [
        (_own(number, release), commits[release])
        for number in range(size)
        for release in [newest if number % 3 else older]
    ]
    options = make_fleet(folder, size, forge, releases)
    state = Path(options[-1])
    for number in range(size):
        name = f"app-{number:03}.git"
        (folder / "answers" / name / "info").mkdir(parents=True)
        _copy(number, folder / "first" / "info-refs", folder / "answers" / name / "info" / "refs")
        _copy(number, folder / "first" / "git-upload-pack", folder / "answers" / name / "git-upload-pack")
        shutil.copytree(upstream.path, state / "mirrors" / name)
        _copy(number, upstream.path / "packed-refs", state / "mirrors" / name / "packed-refs")
    SqliteRegistry(state / "canon.db").append(list(_lines(size)))
    return options


def _own(number: int, text: str) -> str:
    """Return a text with the names of tags changed to those of this recipe. They have the same length."""
    return text.replace("+v2.", f"+{chr(97 + number // 26 % 26)}{chr(97 + number % 26)}.")


def _copy(number: int, source: Path, to: Path) -> None:
    """Copy a file that names tags, with the names that they have for this recipe."""
    to.write_bytes(_own(number, source.read_text("latin-1")).encode("latin-1"))


def _lines(size: int) -> Iterator[LedgerEntry]:
    """Yield lines of passes, and for each recipe those of four trials."""
    for number in range(PASSES):
        at = NOW - timedelta(days=7 * (PASSES - number))
        name = f"pass-{number}"
        yield LedgerEntry(at, "pass", "", {"pass": name, "trigger": "timer"})
        yield LedgerEntry(at, "pass-end", "", {"pass": name, "selected": None, "exit_code": 0, "line": "all in sync"})
    tiers = [["install", "pass", "", 12.5], ["upgrade", "fail", "it did not start", 40.0]]
    trial = {"pass": "pass-0", "level": "1/5", "result": "red", "reason": "upgrade: it did not start", "tiers": tiers}
    for number in range(4 * size):
        version = _own(number % size, f"1.{TAGS - 1}.0+v2.{TAGS - 1}")
        yield LedgerEntry(NOW, "trial", f"app-{number % size:03}", {**trial, "version": version, "trial": f"t{number}"})


def ways(options: Sequence[str]) -> Mapping[str, Way]:
    """Return the commands to compare, by their names."""

    def way(*words: str) -> Way:
        return Way((sys.executable, "-m", "reconciler", *options, *words), codes=(0, 2))

    looks = {name: way(name) for name in ("drift", "explain", "history")}
    return {DRY_RUN: way("--dry-run"), **looks, "report --html": way("report", "--html", "-")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=int, nargs="?", default=300)
    parser.add_argument("rounds", type=int, nargs="?", default=7)
    parsed = parser.parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with canned_server(folder) as forge:
            compared = ways(fleet_with_history(folder, parsed.recipes, forge))
            print(f"{parsed.recipes} recipes, {TAGS} tags, medians of {parsed.rounds} rounds")
            print(table(measure(compared, parsed.rounds), DRY_RUN))


if __name__ == "__main__":
    main()
