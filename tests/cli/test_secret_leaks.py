"""A secret that an app and a test shout out appears nowhere but in the sealed snapshot."""

import base64
from pathlib import Path

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet
from tests.reconcile_command import ReconcileResult
from tests.snapshot_tar import tar_in

CANARY = "kanarie-7f3e9a5c1b2d"
SHOUTS = (
    "import os, sys\n"
    "key = open(os.environ['SECRETS_DIR'] + '/key').read()\n"
    "print('the key is', key, flush=True)\n"
    "print('key=' + key, file=sys.stderr, flush=True)\n"
)
TEST = """\
key=$("$APP_RUN" sh -c 'cat "$SECRETS_DIR/key"')
echo "got $key"; echo "$key" >&2; printf %s "$key" | base64
{then}
"""


def run_and_search(jot: OneRecipeFleet, *words: str) -> ReconcileResult:
    said = jot.run(*words)
    assert_unseen(said.out.encode() + said.err.encode())
    return said


def assert_unseen(text: bytes) -> None:
    spellings = (CANARY.encode(), base64.b64encode(CANARY.encode())[:20])
    assert not [spelling for spelling in spellings if spelling in text]


def assert_unseen_below(folder: Path) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert_unseen(path.read_bytes())


def declare(jot: OneRecipeFleet, then: str) -> None:
    (jot.folder / "key").write_text(CANARY)
    tables = f'[install]\nsecrets = {{ key = ["cat", "{jot.folder}/key"] }}\n[custom]\nrun = [["sh", "custom.sh"]]\n'
    jot.declare(tables, custom=TEST.format(then=then))


def test_a_secret_is_in_no_log_record_report_or_error(jot: OneRecipeFleet) -> None:
    declare(jot, "true")
    sample = "SECRET_KEY_VERSION=v1\n"
    jot.upstream.untag(FIRST)
    jot.release(FIRST, app_py=SHOUTS + tiny_fleet.APP.decode(), _env_sample=sample)
    assert run_and_search(jot).code == 0
    jot.release(SECOND, app_py=SHOUTS + "sys.exit('cannot use ' + key)\n", _env_sample=sample)
    red = run_and_search(jot)
    assert (red.code, "web: cannot use [redacted]" in red.out) == (4, True)
    declare(jot, "exit 9")
    tried = run_and_search(jot, "trial", "jot", "--ref", FIRST, "--junit", "report.xml")
    assert (tried.code, "custom test 1 exited 9" in tried.out) == (4, True)
    assert "got [redacted]" in run_and_search(jot, "logs", "jot").out

    assert_unseen_below(jot.state / "logs")
    assert_unseen((jot.state / "canon.db").read_bytes())
    assert_unseen((jot.folder / "report.xml").read_bytes())
    run_and_search(jot, "status", "jot", "-o", "json")
    sealed = jot.state / "canonicals" / "jot" / "1" / "snapshot.tar.zst"
    assert CANARY.encode() in tar_in(sealed.parent), "or else this test would prove nothing"
    assert sealed.stat().st_mode & 0o077 == 0
