"""Tests that variables of a recipe do not change Docker's client. Uses the real client if it is installed."""

import os
import pwd
import shutil
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.host.swarm.engine.client_environment import (
    affects_client,
    client_flags,
    names_without_value,
    rename_in_text,
    rename_variables,
    renamed_copies,
)
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.prepared_release import prepare_release
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.ports.app import DeployOptions
from tests.folders import scratch_folder

OBEYED = ["LD_PRELOAD", "LD_LIBRARY_PATH", "GODEBUG", "GOMEMLIMIT", "DOCKER_API_VERSION", "CANON_RUN"]
SCRAPS = st.sampled_from(["$", "$$", "${", "}", "LD_PRELOAD", "GOGC", "TITLE", ":-x", " ", "\n", "é", "A", "_"])


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("$LD_PRELOAD ${LD_PRELOAD:-x}", "$CANON_OF_RECIPE_LD_PRELOAD ${CANON_OF_RECIPE_LD_PRELOAD:-x}"),
        ("$$LD_PRELOAD $$$LD_PRELOAD", "$$LD_PRELOAD $$$CANON_OF_RECIPE_LD_PRELOAD"),
        ("LD_PRELOAD ${MY_LD_PRELOAD} ${LDAP} $HOME ${DOCKER_HOST}", None),
        ("${A:-${GOGC}}", "${A:-${CANON_OF_RECIPE_GOGC}}"),
    ],
)
def test_only_a_variable_that_affects_the_client_is_renamed(text: str, changed: str | None) -> None:
    assert rename_in_text(text.encode()).decode() == (changed or text)


@given(st.lists(SCRAPS, max_size=12).map("".join))
def test_renaming_variables_in_a_text_changes_nothing_else(text: str) -> None:
    changed = rename_in_text(text.encode())
    event("changed" if changed != text.encode() else "as it was")
    assert changed.replace(b"CANON_OF_RECIPE_", b"").decode() == text


@given(st.dictionaries(st.sampled_from([*OBEYED, "A", "TITLE"]), st.text(max_size=3)))
def test_no_variable_is_lost_and_none_keeps_a_name_that_affects_the_client(variables: dict[str, str]) -> None:
    told = rename_variables(variables)
    assert sorted(told.values()) == sorted(variables.values())
    assert {name for name in told if not name.startswith("CANON_OF_RECIPE_")} == {
        name for name in variables if not affects_client(name)
    }


def test_a_copy_lies_beside_its_file_only_as_long_as_it_is_read() -> None:
    with scratch_folder() as folder:
        for name, text in (("a.yml", "x: $LD_PRELOAD"), ("b.yml", "x: $TITLE")):
            (folder / name).write_text(text)
        files = [folder / "a.yml", folder / "b.yml", folder / "missing.yml"]
        with renamed_copies(files) as read:
            assert read[1:] == tuple(files[1:])
            assert read[0].parent == folder
            assert read[0].read_text() == "x: $CANON_OF_RECIPE_LD_PRELOAD"
        assert {path.name for path in folder.iterdir()} == {"a.yml", "b.yml"}
        assert files[0].read_text() == "x: $LD_PRELOAD"


@pytest.mark.parametrize(
    ("environment", "flags"),
    [
        ({"DOCKER_CONFIG": "/c"}, ["--config", "/c"]),
        ({"HOME": "/h", "DOCKER_HOST": "unix:///x"}, ["--config", "/h/.docker", "--host", "unix:///x"]),
        ({"HOME": "/h", "DOCKER_CONFIG": "/c", "DOCKER_CONTEXT": "far"}, ["--config", "/c", "--context", "far"]),
        (
            {"HOME": "/h", "DOCKER_HOST": "tcp://x:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/k"},
            [
                *("--config", "/h/.docker", "--host", "tcp://x:2376", "--tlsverify"),
                *("--tlscacert=/k/ca.pem", "--tlscert=/k/cert.pem", "--tlskey=/k/key.pem"),
            ],
        ),
        (
            {"DOCKER_CONFIG": "/c", "DOCKER_TLS": "1"},
            ["--config", "/c", "--tls", "--tlscacert=/c/ca.pem", "--tlscert=/c/cert.pem", "--tlskey=/c/key.pem"],
        ),
    ],
)
def test_the_client_gets_by_flags_the_settings_of_its_environment(
    environment: dict[str, str], flags: list[str]
) -> None:
    assert list(client_flags(environment)) == flags


def test_without_a_home_the_tls_files_are_those_in_the_home_of_the_user() -> None:
    own = Path(pwd.getpwuid(os.geteuid()).pw_dir, ".docker")
    assert f"--tlscacert={own}/ca.pem" in client_flags({"DOCKER_TLS_VERIFY": "1"})


def test_a_file_of_variables_names_some_without_a_value(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=1\n LD_PRELOAD \n# GOGC\nGOGC=\nTITLE\n")
    assert list(names_without_value(tmp_path / "env", {"LD_PRELOAD", "GOGC"})) == ["LD_PRELOAD"]


# ---- with the real client ----

COMPOSE = """\
version: "3.8"
services:
  app:
    image: nginx:${TAG:-1}
    env_file: [more.env]
    environment:
      - LANG=${LANG:-nl_NL.UTF-8}
      - SEEN=${HOME:-/srv} ${PATH:-none} ${PASSED:-nothing} ${CANON_RUN:-no}
      - LC_ALL
      - TMPDIR
      - DOCKER_HOST
      - GOMEMLIMIT
      - LOADED=${LD_PRELOAD} $$LD_PRELOAD
      - EMPTY=
      - GODEBUG=
"""
SAMPLE = """\
LC_ALL=de_DE.UTF-8
DOCKER_HOST=tcp://socket-proxy:2375
HTTP_PROXY=http://proxy.example:3128
DOCKER_API_VERSION=none
GOMEMLIMIT=as much as there is
LD_PRELOAD=/usr/lib/libjemalloc.so.2
GODEBUG=of the app
KEY="one
  two"
"""


@pytest.mark.needs("docker-client")
def test_compose_text_is_filled_in_with_the_recipes_variables_alone(tmp_path: Path) -> None:
    for name, text in (
        ("compose.yml", COMPOSE),
        (".env.sample", SAMPLE),
        ("more.env", "FILED=$KEY\nLD_PRELOAD\nHOME\n"),
    ):
        (tmp_path / name).write_text(text)
    client = shutil.which("docker") or ""
    ours = {"PATH": f"{Path(client).parent}:/usr/bin:/bin", "HOME": "/ours", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    ours |= {"TMPDIR": "/ours", "PASSED": "ours", "EMPTY": "ours"}
    prepared = prepare_release(Engine(ours), Stack("n", "n", "", "n.localhost"), tmp_path, DeployOptions("1", "c"), "")
    assert prepared.config["services"]["app"]["environment"] == {
        "LANG": "nl_NL.UTF-8",
        "SEEN": "/srv none nothing no",
        "LC_ALL": "de_DE.UTF-8",
        "TMPDIR": None,
        "DOCKER_HOST": "tcp://socket-proxy:2375",
        "GOMEMLIMIT": "as much as there is",
        "LOADED": "/usr/lib/libjemalloc.so.2 $LD_PRELOAD",
        "LD_PRELOAD": "/usr/lib/libjemalloc.so.2",
        "EMPTY": "",
        "GODEBUG": "of the app",
        "FILED": "$KEY",
    }
    assert prepared.settings["KEY"] == "one\n  two"
    assert {path.name for path in tmp_path.iterdir()} == {"compose.yml", ".env.sample", "more.env"}
