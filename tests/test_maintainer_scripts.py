"""The package's scripts, each run alone in a mount namespace where nothing is installed by hand and nothing runs."""

import re
import subprocess
from pathlib import Path

import pytest
from attrs import frozen

pytestmark = pytest.mark.needs("systemd")

DEBIAN = Path(__file__).parent.parent / "debian"
EMPTY = (
    "mount --make-rprivate /; for at in /var/lib /run /usr/local /opt; do mount -t tmpfs new $at; done; cd /var/lib; "
)
STATE = "mkdir -p reconcile/canonicals/notes/1; touch reconcile/canonicals/notes/1/manifest.json; "
# A systemd that tells what it is asked: the timer is active, and SERVICE is the state of the service.
SYSTEMCTL = """
mkdir -p /run/systemd/system /usr/local/sbin
cat >/usr/local/sbin/systemctl <<'END'
#!/bin/sh
echo "systemctl: $*" >&2
[ "$*" != "is-active reconcile.service" ] || { echo SERVICE; exit 3; }
END
chmod +x /usr/local/sbin/systemctl
"""


@frozen
class Ended:
    """How a script ended, and what it and the lines after it printed on stdout and stderr."""

    code: int
    said: str


def run(script: str, argument: str, before: str = STATE, after: str = "") -> Ended:
    """Run a script of the package after the shell's lines `before`; then run the lines `after`."""
    lines = f"{EMPTY}{before}\nsh {DEBIAN}/canon-reconcile.{script} {argument} 2>&1; code=$?\n{after}\nexit $code"
    entered = ["unshare", "--mount", "sh", "-c", lines]
    path = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(entered, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=path, check=False)
    return Ended(done.returncode, done.stdout)


def test_a_purge_deletes_the_state_folder() -> None:
    ended = run("postrm", "purge", after="ls -A /var/lib")
    assert ended.code == 0
    assert "deleting /var/lib/reconcile, with the canonicals of 1 recipe(s)" in ended.said
    assert ended.said.endswith("their data\n")


def test_a_purge_of_a_mount_point_empties_it_and_succeeds_once_and_again() -> None:
    mounted = "mkdir reconcile; mount -t tmpfs state reconcile; "
    again = f"sh {DEBIAN}/canon-reconcile.postrm purge || exit; ls -A reconcile; echo nothing is left"
    ended = run("postrm", "purge", mounted + STATE, again)
    assert ended.code == 0
    assert ended.said.count("/var/lib/reconcile is a mount point, or holds what could not be deleted, and stays") == 2
    assert ended.said.endswith("stays\nnothing is left\n")


def test_a_purge_leaves_other_file_systems_in_the_state_folder_as_they_are() -> None:
    other = "mkdir reconcile/other; mount -t tmpfs other reconcile/other; touch reconcile/other/file"
    ended = run("postrm", "purge", STATE + other, "find reconcile")
    assert ended.code == 0
    assert "not all of /var/lib/reconcile could be deleted" in ended.said
    assert ended.said.endswith("reconcile\nreconcile/other\nreconcile/other/file\n")


@pytest.mark.parametrize(("script", "argument"), [("postrm", "purge"), ("prerm", "upgrade"), ("prerm", "remove")])
def test_while_a_pass_holds_the_lock_nothing_is_deleted_or_replaced(script: str, argument: str) -> None:
    held = STATE + "echo 'pid of a pass' >reconcile/lock; exec 8<reconcile/lock; flock 8"
    ended = run(script, argument, held, "ls reconcile/canonicals/notes/1")
    assert ended.code == 1
    assert ": pid of a pass\n" in ended.said
    assert ended.said.endswith("manifest.json\n")


def test_a_lock_that_cannot_be_opened_is_not_called_held() -> None:
    ended = run("prerm", "upgrade", STATE + "mknod reconcile/lock c 300 1")
    assert (ended.code, ended.said.count("is held")) == (1, 0)
    assert "the lock /var/lib/reconcile/lock could not be looked at (flock: exit code 66)" in ended.said


def test_the_lock_of_a_pass_that_was_killed_stops_no_purge() -> None:
    assert run("postrm", "purge", STATE + "echo '{}' >reconcile/lock", "ls").said.endswith("their data\n")


@pytest.mark.parametrize("other", ["/usr/local/bin/reconcile", "/opt/canon/bin/reconcile"])
def test_a_purge_leaves_the_state_folder_to_another_installation(other: str) -> None:
    installed = f"mkdir -p $(dirname {other}); touch {other}; chmod +x {other}"
    ended = run("postrm", "purge", STATE + installed, "ls reconcile/canonicals/notes/1 2>&1")
    assert (ended.code, ended.said.count("deleting")) == (0, 0)
    assert f"/var/lib/reconcile stays: {other} is another installation" in ended.said
    assert ended.said.endswith("manifest.json\n")


def test_a_purge_keeps_the_keys_of_the_packages_user_and_names_their_folder() -> None:
    ended = run("postrm", "purge", STATE + "mkdir -p reconcile-home/.ssh; touch reconcile-home/.ssh/id", "find *")
    assert "/var/lib/reconcile-home is the home of the user reconcile, and stays; it holds: .ssh\n" in ended.said
    assert ended.said.endswith("\nreconcile-home\nreconcile-home/.ssh\nreconcile-home/.ssh/id\n")


def test_a_purge_deletes_an_empty_home_of_the_packages_user() -> None:
    assert run("postrm", "purge", STATE + "mkdir reconcile-home", "ls").said.endswith("their data\n")


def test_the_home_of_the_packages_user_is_not_the_state_folder() -> None:
    user = (DEBIAN / "canon-reconcile.sysusers").read_text().splitlines()[-1]
    assert user.split()[-1] == "/var/lib/reconcile-home"
    assert "\nd /var/lib/reconcile-home 0700 reconcile reconcile" in (DEBIAN / "canon-reconcile.tmpfiles").read_text()


@pytest.mark.parametrize("state", ["activating", "deactivating"])
def test_a_pass_that_has_no_lock_yet_is_not_replaced_and_the_timer_goes_on(state: str) -> None:
    ended = run("prerm", "upgrade", STATE + SYSTEMCTL.replace("SERVICE", state), "find /run -name 'canon*'")
    assert (ended.code, "a pass is running" in ended.said) == (1, True)
    assert re.findall("(stop|start) reconcile.timer", ended.said) == ["stop", "start"]
    assert "/run/canon" not in ended.said


@pytest.mark.parametrize("change", ["remove", "upgrade"])
def test_the_timer_is_stopped_before_a_change_and_started_where_that_is_undone(change: str) -> None:
    after = f"echo unpacked; sh {DEBIAN}/canon-reconcile.postinst abort-{change} 2>&1; find /run -name 'canon*'"
    ended = run("prerm", change, STATE + SYSTEMCTL.replace("SERVICE", "inactive"), after)
    assert ended.code == 0
    steps = re.findall("unpacked|(?:stop|start|daemon-reload).*", ended.said)
    assert steps == ["stop reconcile.timer", "unpacked", "daemon-reload", "start reconcile.timer"]
    assert "/run/canon" not in ended.said
