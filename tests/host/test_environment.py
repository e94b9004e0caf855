import os
import pwd
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InfrastructureError
from reconciler.host import environment
from reconciler.host.environment import ALLOWED, CEILING, child_environment, place, trigger_of, unit_of
from state.records import Place

PATH = "/usr/local/bin:/usr/bin:/bin"


def program(folder: Path, name: str, says: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


# ---- what children get ----


@given(st.dictionaries(st.sampled_from([*ALLOWED, "HTTPS_PROXY", "TOKEN", "LD_PRELOAD"]), st.text("ab/:", max_size=9)))
def test_children_get_the_allow_list_and_what_is_passed_on_and_nothing_else(environ: dict[str, str]) -> None:
    children = child_environment(["HTTPS_PROXY", "HOME", "PATH", CEILING, "ABSENT"], environ, Path("/state"))
    assert children.keys() == {"PATH", "LANG", "LC_ALL", CEILING} | ({"HTTPS_PROXY"} & environ.keys())
    assert children[CEILING] == "/state"
    assert children["LANG"] == children["LC_ALL"] == "C.UTF-8"
    assert children.get("HTTPS_PROXY") == environ.get("HTTPS_PROXY")
    assert all(folder.startswith("/") for folder in children["PATH"].split(":"))


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a:/b", "/a:/b"),
        (".:/a::bin:/b:", "/a:/b"),
        ("", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ],
)
def test_no_program_is_searched_for_in_the_current_folder(path: str, kept: str) -> None:
    assert child_environment([], {"PATH": path}, Path("/state"))["PATH"] == kept


# ---- where we are ----


def place_of(requires: list[str], passes: list[str], environ: dict[str, str]) -> Place:
    return place(requires, child_environment(passes, environ, Path("/state")), environ)


@pytest.mark.parametrize(
    ("cgroups", "unit"),
    [
        ("0::/system.slice/reconcile.service\n", "reconcile.service"),
        ("0::/system.slice/reconcile.service/inner\n", "reconcile.service"),
        ("0::/system.slice/system-canon.slice/canon@run.service\n", "canon@run.service"),
        ("9:name=systemd:/system.slice/reconcile.service\n1:cpu:/\n0::/\n", "reconcile.service"),
        ("9:name=systemd:/\n4:memory:/elsewhere/x.service\n0::/\n", ""),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", ""),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-terminal-77.scope\n", ""),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/reconcile.service\n", "reconcile.service"),
        ("0::/\n", ""),
        ("", ""),
    ],
)
def test_the_unit_is_the_innermost_service(cgroups: str, unit: str) -> None:
    assert unit_of(cgroups) == unit


@pytest.mark.parametrize(
    ("unit", "environ", "trigger"),
    [
        ("", {}, "shell"),
        ("", {"INVOCATION_ID": "x", "TRIGGER_UNIT": "reconcile.timer"}, "shell"),
        ("reconcile.service", {}, "shell"),
        ("reconcile.service", {"INVOCATION_ID": "x"}, "systemctl"),
        ("reconcile.service", {"INVOCATION_ID": "x", "TRIGGER_UNIT": "reconcile.timer"}, "timer"),
    ],
)
def test_a_trigger_is_believed_only_inside_a_unit(unit: str, environ: dict[str, str], trigger: str) -> None:
    assert trigger_of(unit, environ) == trigger


def test_a_place_names_what_is_there() -> None:
    here = place_of(["sh", "no-such-tool"], ["HTTPS_PROXY", "UNSET"], {"PATH": PATH, "HTTPS_PROXY": "x", "OTHER": "y"})
    assert here.user == pwd.getpwuid(os.geteuid()).pw_name
    assert here.path == PATH
    assert here.variables == (CEILING, "HOME", "HTTPS_PROXY", "LANG", "LC_ALL", "PATH", "TMPDIR")
    assert list(here.tools) == ["git", "no-such-tool", "python3", "sh"]
    assert here.tools["no-such-tool"] == ""
    assert here.tools["sh"].startswith("sha256:")
    assert here.tools["git"][0].isdigit()


# ---- fingerprints ----


def test_a_place_is_the_same_twice_and_does_not_depend_on_other_variables() -> None:
    first = place_of(["sh"], [], {"PATH": PATH})
    assert place_of(["sh"], [], {"PATH": PATH, "UNRELATED": "x", "HOME": "/elsewhere", "LANG": "de_DE"}) == first
    assert place_of(["sh"], ["UNSET"], {"PATH": PATH}) == first


def test_a_passed_variable_changes_the_place_by_its_name_and_not_by_its_value() -> None:
    without = place_of([], ["TOKEN"], {"PATH": PATH})
    one, two = (place_of([], ["TOKEN"], {"PATH": PATH, "TOKEN": value}) for value in ("canary-one", "canary-two"))
    assert one == two
    assert one.digest != without.digest
    assert one.versions_digest == without.versions_digest
    assert "canary" not in repr(one)


def test_another_path_is_another_place_with_the_same_tools(tmp_path: Path) -> None:
    first = place_of(["sh"], [], {"PATH": PATH})
    longer = place_of(["sh"], [], {"PATH": f"{PATH}:{tmp_path}"})
    assert longer.digest != first.digest
    assert longer.versions_digest == first.versions_digest


def test_a_tool_that_comes_changes_the_place_and_one_that_is_renewed_only_the_versions(tmp_path: Path) -> None:
    environ = {"PATH": f"{PATH}:{tmp_path}"}
    without = place_of(["git-lfs-of-ours"], [], environ)
    program(tmp_path, "git-lfs-of-ours", "1.0")
    old = place_of(["git-lfs-of-ours"], [], environ)
    program(tmp_path, "git-lfs-of-ours", "2.0")
    new = place_of(["git-lfs-of-ours"], [], environ)
    assert without.digest != old.digest == new.digest
    assert len({without.versions_digest, old.versions_digest, new.versions_digest}) == 3


def test_another_unit_is_another_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    digests = []
    for unit in ("reconcile.service", "other.service"):
        (tmp_path / "cgroup").write_text(f"0::/system.slice/{unit}\n")
        monkeypatch.setattr(environment, "CGROUPS", tmp_path / "cgroup")
        here = place_of([], [], {"PATH": PATH, "INVOCATION_ID": "x"})
        assert (here.unit, here.trigger) == (unit, "systemctl")
        digests.append(here.digest)
        assert place_of([], [], {"PATH": PATH, "INVOCATION_ID": "x", "TRIGGER_UNIT": "x.timer"}).digest == here.digest
    assert digests[0] != digests[1]


# ---- git ----


@pytest.mark.parametrize(
    ("says", "complaint"),
    [("git version 2.25.1", "too old"), ("git version 1.9", "too old"), ("usage: git", "does not report its version")],
)
def test_a_git_that_is_too_old_or_broken_is_an_infrastructure_error(tmp_path: Path, says: str, complaint: str) -> None:
    program(tmp_path / "bin", "git", says)
    with pytest.raises(InfrastructureError, match=complaint):
        place_of([], [], {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})


@pytest.mark.parametrize("says", ["git version 2.39.5", "git version 3.0.0.rc1", "git version 2.50.1 (Apple Git-155)"])
def test_the_version_of_a_git_that_is_new_enough_is_part_of_the_place(tmp_path: Path, says: str) -> None:
    program(tmp_path / "bin", "git", says)
    here = place_of([], [], {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})
    assert here.tools["git"].startswith(says.split()[2] + " sha256:")


def test_a_missing_git_is_named(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="git: not found") as raised:
        place_of([], [], {"PATH": str(tmp_path)})
    assert raised.value.hint == "install git"
