"""Tests how the `docker` command is called and its output read, with a script in its place."""

import json
import os
from pathlib import Path

import pytest

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.output import FirstBytes
from reconciler.host.swarm.engine.engine import Engine
from tests.host.swarm.docker_messages import DAEMON, NOT_THERE, OF_THE_HOST

SWARM = json.dumps({"NodeID": "n1", "LocalNodeState": "active", "ControlAvailable": True})
WELL = f"""\
case "$*" in
    version*) echo 26.1.5+dfsg1 ;;
    info*) echo '{SWARM}' ;;
    *) printf '%s\\n' "$@" >"$CALLED"; env -0 >"$CALLED.env"; pwd >"$CALLED.cwd" ;;
esac
"""


def engine(folder: Path, script: str, lock: int | None = None) -> Engine:
    """Return an engine whose `docker` is a shell script."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return Engine({"PATH": path, "CALLED": str(folder / "called"), "DOCKER_HOST": "ours"}, lock)


def says(text: str, code: int = 1) -> str:
    return f"cat >&2 <<'END'\n{text}\nEND\nexit {code}\n"


def called(folder: Path) -> list[str]:
    return (folder / "called").read_text().splitlines()


# ---- what is asked ----


@pytest.mark.parametrize("said", NOT_THERE)
def test_objects_that_are_gone_are_left_out_and_no_failure(tmp_path: Path, said: str) -> None:
    asked = engine(tmp_path, f'echo \'[{{"ID": "still-there"}}]\'\n{says(said)}')
    assert asked.inspect("service", ["a", "b"]) == ({"ID": "still-there"},)


@pytest.mark.parametrize("said", OF_THE_HOST.values())
def test_an_engine_that_cannot_be_asked_is_never_taken_for_one_that_has_nothing(tmp_path: Path, said: str) -> None:
    asked = engine(tmp_path, says(said))
    for ask in (
        lambda: asked.inspect("service", ["a"]),
        lambda: asked.tasks(["a"]),
        lambda: asked.list_ids("volume", "label=x"),
        asked.check,
    ):
        with pytest.raises(InfrastructureError):
            ask()


def test_one_that_is_gone_does_not_hide_another_that_could_not_be_seen(tmp_path: Path) -> None:
    asked = engine(tmp_path, f"echo '[]'\n{says(NOT_THERE[0] + chr(10) + OF_THE_HOST['the engine is down'])}")
    with pytest.raises(InfrastructureError):
        asked.inspect("service", ["a", "b"])


def test_a_warning_beside_an_object_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    asked = engine(tmp_path, f"echo '[]'\n{says('WARNING: Error loading config file' + chr(10) + NOT_THERE[0])}")
    assert asked.inspect("service", ["a"]) == ()


def test_of_nothing_nothing_is_asked(tmp_path: Path) -> None:
    asked = engine(tmp_path, WELL)
    assert (asked.inspect("service", []), asked.tasks([])) == ((), ())
    asked.remove("volume", [])
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 20.10.24+dfsg1", "Docker's client here is 20.10.24+dfsg1, which has no `docker stack config`"),
        ("echo podman", "Docker's client here is podman, which has no `docker stack config`"),
        (WELL.replace("active", "inactive"), "this host manages no swarm"),
        (WELL.replace("true", "false"), "this host manages no swarm"),
    ],
)
def test_a_client_or_a_host_that_cannot_do_it_is_named_with_a_remedy(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(InfrastructureError) as refusal:
        engine(tmp_path, script).check()
    assert refusal.value.message == message
    assert refusal.value.hint


def test_a_host_that_can_do_it_is_asked_once(tmp_path: Path) -> None:
    asked = engine(tmp_path, WELL)
    asked.check()
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    assert asked.node == "n1"


def test_a_host_without_dockers_client_is_told_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"docker: not found in PATH"):
        Engine({"PATH": str(tmp_path)}).check()


# ---- what is told ----


def test_an_image_is_pulled_by_its_name_whatever_that_is(tmp_path: Path) -> None:
    engine(tmp_path, WELL).pull("--all-tags")
    assert called(tmp_path) == ["pull", "--quiet", "--", "--all-tags"]


def test_compose_files_are_read_with_the_recipes_variables_and_none_of_ours(tmp_path: Path) -> None:
    theirs = {"TITLE": "a b", "DOCKER_HOST": "theirs", "PATH": "/theirs", "CALLED": str(tmp_path / "called")}
    (tmp_path / "checkout").mkdir()
    engine(tmp_path, WELL.replace("env -0", "/usr/bin/env -0")).config(
        [Path("/a.yml"), Path("/b.yml")], theirs, tmp_path / "checkout"
    )
    assert called(tmp_path) == ["stack", "config", "--compose-file", "/a.yml", "--compose-file", "/b.yml"]
    told = dict(line.partition("=")[::2] for line in (tmp_path / "called.env").read_text().split("\0"))
    of_a_shell = {"PWD", "OLDPWD", "SHLVL", "_", ""}
    assert {name: told[name] for name in told.keys() - of_a_shell if not name.startswith("CANON_")} == theirs
    assert (tmp_path / "called.cwd").read_text() == f"{tmp_path}/checkout\n"


def test_a_variable_that_is_given_no_value_is_hidden_from_the_client_which_is_told_its_own_by_flags(
    tmp_path: Path,
) -> None:
    told = engine(tmp_path, WELL)
    told.deploy("notes", Path("/a.json"), tmp_path, {"DOCKER_HOST", "PATH", "TITLE"})
    argv = called(tmp_path)
    assert argv[:4] == ["--host", "ours", "stack", "deploy"]
    environment = (tmp_path / "called.env").read_text().split("\0")
    assert not any(each.startswith("DOCKER_HOST=") for each in environment)
    assert f"PATH={told.environment['PATH']}" not in environment
    assert f"CALLED={tmp_path}/called" in environment


def test_a_stack_is_handed_over_without_waiting_and_with_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    engine(tmp_path, WELL).deploy("notes", Path("/a.json"), tmp_path)
    argv = called(tmp_path)
    assert argv[:2] + argv[-3:] == ["stack", "deploy", "--compose-file", "/a.json", "notes"]
    assert {"--detach=true", "--prune", "--resolve-image=always", "--with-registry-auth"} == {*argv[2:-3]}


def test_what_changes_something_holds_the_lock_and_what_asks_does_not(tmp_path: Path) -> None:
    script = '[ -e "/proc/self/fd/$LOCK" ] && echo "$*" >>"$CALLED"; exit 0\n'
    with (tmp_path / "lock").open("w") as lock:
        told = engine(tmp_path, script.replace("$LOCK", str(lock.fileno())), lock.fileno())
        told.list_ids("volume")
        told.inspect("task", ["a"])
        told.change("volume", "create", "a", what="it")
        told.remove("volume", ["a"])
        told.pull("a")
        told.deploy("notes", Path("/a.json"), tmp_path)
    first_words = [line.split()[0] for line in called(tmp_path)]
    assert first_words == ["volume", "volume", "pull", "stack"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("invalid reference format", RecipeError),
        ("", InfrastructureError),
        ("no space left on device", InfrastructureError),
    ],
)
def test_a_recipe_is_blamed_for_what_it_chose_and_only_where_docker_said_a_word(
    tmp_path: Path, said: str, kind: type[CanonError]
) -> None:
    told = engine(tmp_path, says(said))
    for deed in (
        lambda: told.pull("image"),
        lambda: told.config([], {}, tmp_path),
        lambda: told.deploy("notes", Path("/a.json"), tmp_path),
    ):
        with pytest.raises(CanonError) as failure:
            deed()
        assert type(failure.value) is kind


def test_words_that_nobody_knows_blame_a_recipe_for_its_files_and_not_for_what_a_registry_says(tmp_path: Path) -> None:
    told = engine(tmp_path, says("a word that nobody knows"))
    with pytest.raises(RecipeError):
        told.config([], {}, tmp_path)
    with pytest.raises(InfrastructureError):
        told.pull("image")


def test_a_client_that_is_killed_blames_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="docker stack deploy: Docker said nothing"):
        engine(tmp_path, "kill -9 $$").deploy("notes", Path("/a.json"), tmp_path)
    with pytest.raises(InfrastructureError, match="docker stack deploy: Ignoring unsupported options: restart"):
        engine(tmp_path, "echo 'Ignoring unsupported options: restart' >&2; kill -9 $$").deploy(
            "n", Path("/a.json"), tmp_path
        )


def test_a_recipe_is_never_blamed_for_its_volumes_networks_and_secrets(tmp_path: Path) -> None:
    told = engine(tmp_path, says("a word that nobody knows"))
    for deed in (
        lambda: told.change("volume", "create", "a", what="make volume a"),
        lambda: told.copy("-", "a:/b", out=FirstBytes(0)),
    ):
        with pytest.raises(InfrastructureError):
            deed()


def test_an_answer_in_time_is_waited_for_and_none_is_the_hosts_fault(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"it: Docker did not answer within 0 s"):
        engine(tmp_path, "exec sleep 60").change("volume", "create", what="it", deadline=0.2)


def test_what_docker_says_first_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"^it: a word$"):
        engine(tmp_path, says(f"{DAEMON}rpc error: code = Unknown desc = a word")).change("volume", what="it")


# ---- in a container ----

INSIDE = """\
case "$1" in
    exec) shift 2; {exec} ;;
    container) {found} ;;
esac
"""
RUNS = "echo 3f6dc1a"


def executed(folder: Path, script: str, exec_: str = 'exec "$@"', found: str = RUNS) -> tuple[int | None, bytes]:
    """What comes of a script where Docker's client does `exec_` with it, and `found` when asked for the container."""
    return engine(folder, INSIDE.format(exec=exec_, found=found)).execute("3f6dc1a", script, 20.0)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo out; echo err >&2", (0, b"out\nerr\n")),
        ("printf dumped; exit 3", (3, b"dumped")),
        ("kill -9 $$", (137, b"")),
        ("set -e; false; echo never", (1, b"")),
        ("echo 'it'\"'\"'s'", (0, b"it's\n")),
    ],
)
def test_a_script_in_a_container_is_told_with_its_own_end_and_words(
    tmp_path: Path, script: str, told: tuple[int, bytes]
) -> None:
    code, said = executed(tmp_path, script)
    assert (code, said.replace(b"Killed\n", b"")) == told


@pytest.mark.parametrize(
    "lost",
    [
        "echo half; exit 0",
        "exit 255",
        "kill -9 $$",
        says(OF_THE_HOST["the engine is down"]),
        says(f"{DAEMON}No such exec instance: 3f6dc1a"),
        "echo half; " + says("error during connect: EOF"),
    ],
)
def test_a_connection_that_is_lost_while_a_script_runs_is_no_end_of_it(tmp_path: Path, lost: str) -> None:
    with pytest.raises(InfrastructureError):
        executed(tmp_path, "echo whole", lost)


def test_a_script_whose_container_went_meanwhile_failed(tmp_path: Path) -> None:
    assert executed(tmp_path, "x", "echo half; exit 0", found="true") == (1, b"half\n")
    assert executed(tmp_path, "x", "exit 137", found="true") == (137, b"")
    with pytest.raises(RecipeError, match="is not running"):
        executed(tmp_path, "x", says(f"{DAEMON}Container 3f6dc1a is not running"))


def test_a_container_without_a_shell_is_the_recipes_fault(tmp_path: Path) -> None:
    no_shell = 'OCI runtime exec failed: exec: "sh": executable file not found in $PATH: unknown'
    assert executed(tmp_path, "x", says(no_shell, 126)) == (126, f"{no_shell}\n".encode())


def test_a_script_that_does_not_end_has_no_code(tmp_path: Path) -> None:
    asked = engine(tmp_path, INSIDE.format(exec='exec "$@"', found=RUNS))
    assert asked.execute("3f6dc1a", "sleep 60", 0.3)[0] is None
