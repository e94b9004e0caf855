"""What ends by itself after it was ready is never promoted, and says how it ended; what proves nothing is no pass."""

import re
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, THIRD, OneRecipeFleet
from tests.repositories import UpstreamRepository

APP = tiny_fleet.APP.decode()
# Canon asks as a browser does, the tests of the recipe do not.
ASKED = '        if asked.startswith("POST"):'
DYING = f"""\
        if "Host:" not in asked or "/die" in asked:
            import threading
            threading.Timer(AFTER, END).start()
{ASKED}"""
WATCHED = '[ready]\nstable = "60s"\n'
WORKER = 'worker: while [ ! -e "$DATA_DIR/end" ]; do sleep 0.1; done; exit '
SIGNAL_WORKER = 'lambda: open(os.environ["DATA_DIR"] + "/end", "w").close()'


def dying(after: float, end: str) -> str:
    """The tiny app, which does `end` so many seconds after its tests asked something of it."""
    return APP.replace(ASKED, DYING.replace("AFTER", str(after)).replace("END", end))


def exits(code: int, after: float = 1.0) -> str:
    return dying(after, f"lambda: os._exit({code})")


CRASH = "lambda: os.kill(os.getpid(), 11)"
WITH_WORKER = {"app_py": dying(1.0, SIGNAL_WORKER), "Procfile": tiny_fleet.PROCFILE.decode() + WORKER + "0\n"}


@pytest.mark.parametrize(
    ("files", "how"),
    [
        ({"app_py": exits(3)}, "web ended with exit code 3"),
        ({"app_py": exits(0)}, "web ended with exit code 0"),
        ({"app_py": dying(1.0, CRASH)}, "web ended with exit code 139 (SIGSEGV)"),
        (WITH_WORKER, "worker ended with exit code 0"),
    ],
)
def test_a_release_that_ends_by_itself_after_it_was_ready_is_red_and_says_how(
    jot: OneRecipeFleet, files: Mapping[str, str], how: str
) -> None:
    jot.declare(WATCHED)
    jot.release(SECOND, **files)

    told = jot.json()

    assert (told.code, told.row("jot")["result"]) == (4, "red")
    # The second check ends it, unless this machine is slow.
    assert f" failed: jot {SECOND} was ready and did not stay up: {how}" in told.row("jot")["reason"]
    assert jot.canonical() is None
    jot.assert_nothing_is_left()


def test_one_that_does_so_only_over_lived_data_is_red_and_the_canonical_stays(settled: OneRecipeFleet) -> None:
    settled.declare(WATCHED)
    kept = settled.promoted_state().without_tags()
    settled.release(
        SECOND, app_py=exits(3).replace('"Host:" not in asked', f'"Host:" not in asked and "{FIRST}" in lines')
    )

    told = settled.json()

    assert (told.code, told.row("jot")["result"]) == (4, "red")
    assert "upgrade failed: jot 1.1.0+v2 was ready and did not stay up: web ended" in told.row("jot")["reason"]
    assert settled.promoted_state().without_tags() == kept


def tiers(row: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {tier["name"]: (tier["verdict"], tier["reason"]) for tier in row["tiers"]}


def test_a_base_that_ends_by_itself_is_no_evidence_against_the_release_over_it(jot: OneRecipeFleet) -> None:
    jot.release(SECOND, app_py=exits(3, after=0.0))
    jot.release(THIRD)

    told = jot.json()

    row = told.row("jot")
    assert (told.code, row["result"], row["have"]["lineage"]) == (0, "promoted", [THIRD])
    verdict, reason = tiers(row)["upgrade"]
    assert (verdict, reason.partition(":")[0]) == ("skip", "base-broken")


def test_a_needed_app_that_ends_by_itself_is_not_blamed_on_the_recipe(jot: OneRecipeFleet) -> None:
    needed = UpstreamRepository.make(jot.folder / "upstreams" / "needed.git")
    needed.commit({"Procfile": tiny_fleet.PROCFILE, "app.py": exits(3, after=0.0).encode()})
    needed.tag(FIRST)
    folder = jot.fleet / "recipes" / "needed"
    folder.mkdir()
    (folder / "recipe.toml").write_text(f'[recipe]\nupstream = "file://{needed.path}"\n')
    jot.declare('[install]\nneeds = ["needed"]\n')
    asking = tiny_fleet.ASK.replace("%s /", "GET /").replace('["ADDRESS"]', '["NEEDED_ADDRESS"]')
    (jot.recipe / "check.py").write_text(asking)

    told = jot.json()

    assert (told.row("needed")["result"], told.row("jot")["result"]) == ("promoted", "infrastructure")
    # Which of the two says so first depends on when it is looked at.
    seen = r"jot needs needed( \S+ was ready and did not stay up|, which no longer runs): web ended with exit code 3"
    assert re.search(seen, told.row("jot")["reason"])


def test_a_raised_copy_that_ends_by_itself_is_an_error_that_says_how(jot: OneRecipeFleet) -> None:
    jot.release(SECOND, app_py=exits(3, after=0.0).replace('"Host:" not in asked or ', ""))
    assert jot.json().row("jot")["result"] == "promoted"
    copy = jot.start("raise", "jot", "--for", "5m")
    assert copy.stdout is not None
    url = copy.stdout.readline().split()[3]
    with suppress(OSError):
        urllib.request.urlopen(f"{url}/die", timeout=30).close()  # noqa: S310 - of our own making
    _, said = copy.communicate(timeout=120)
    assert copy.returncode == 1
    assert f"jot {SECOND} was ready and did not stay up: web ended with exit code 3" in said
    jot.assert_nothing_is_left()


BACKUP = '[backup]\ntake = ["sh", "take.sh"]\nrestore = ["sh", "restore.sh"]\n'
TAKE = 'echo marked > "$BACKUP_DIR/lines"\n'
RESTORE = 'grep -q marked "$BACKUP_DIR/lines" && exec python3 -I -S mark.py POST\n'


def test_a_restore_passes_where_the_check_fails_before_it_and_not_after_it(jot: OneRecipeFleet) -> None:
    jot.declare(BACKUP, take=TAKE, restore=RESTORE)
    told = jot.json()
    found = tiers(told.row("jot"))
    assert (told.code, found["backup"], found["restore"]) == (0, ("pass", ""), ("pass", ""))
    log = next((jot.state / "logs" / "jot").glob("*/restore.log")).read_text()
    assert "==> data.check failed, before anything was marked or restored" in log


@pytest.mark.parametrize(
    ("check", "restore"), [(":\n", RESTORE), (":\n", "true\n"), ("exec python3 -I -S check.py GET\n", RESTORE)]
)
def test_a_restore_whose_check_passes_before_it_proves_nothing_and_neither_does_its_backup(
    jot: OneRecipeFleet, check: str, restore: str
) -> None:
    """The last seeds each new install with what its check looks for."""
    jot.declare(BACKUP, take=TAKE, restore=restore, check=check)
    declared = jot.recipe / "recipe.toml"
    declared.write_text(
        declared.read_text().replace('["python3", "-I", "-S", "check.py", "GET"]', '["sh", "check.sh"]')
    )
    jot.release(SECOND, app_py=APP.replace('["VERSION"] + "\\n")', '["VERSION"] + "\\nmarked\\n")'))

    told = jot.json()

    assert (told.code, told.row("jot")["result"]) == (0, "promoted")
    found = tiers(told.row("jot"))
    assert found["backup"] == ("skip", "no-check: was taken, but restoring it proved nothing")
    assert found["restore"] == ("skip", "no-check: proves nothing: data.check passes before anything is restored")
