"""Tests how the `docker` command is called and its output read, with a script in its place."""

import csv
import os
from pathlib import Path

import pytest

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.swarm.engine.docker_command import DockerCommand
from tests.host.swarm.docker_messages import DAEMON, OF_THE_HOST

WELL = """\
case "$*" in
    info*) echo '"26.1.5+dfsg1" "n1"' ;;
    *) printf '%s\\n' "$@" >"$CALLED"; env -0 >"$CALLED.env"; pwd >"$CALLED.cwd" ;;
esac
"""


def command(folder: Path, script: str, lock: int | None = None) -> DockerCommand:
    """Return a command whose `docker` is a shell script."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return DockerCommand({"PATH": path, "CALLED": str(folder / "called"), "DOCKER_HOST": "ours"}, lock)


def says(text: str, code: int = 1) -> str:
    return f"cat >&2 <<'END'\n{text}\nEND\nexit {code}\n"


def called(folder: Path) -> list[str]:
    return (folder / "called").read_text().splitlines()


# ---- what it is ----


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            'echo \'"20.10.24+dfsg1" "n1"\'',
            "Docker's client here is 20.10.24+dfsg1, which has no `docker stack config`",
        ),
        ("echo podman", "Docker's client here is podman, which has no `docker stack config`"),
        ("true", "Docker's client here is unknown, which has no `docker stack config`"),
    ],
)
def test_a_client_that_cannot_do_it_is_named_with_a_remedy(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(InfrastructureError) as refusal:
        command(tmp_path, script).node()
    assert refusal.value.message == message
    assert refusal.value.hint


def test_the_node_of_the_engine_that_the_command_reaches_is_known(tmp_path: Path) -> None:
    assert command(tmp_path, WELL).node() == "n1"
    assert command(tmp_path, 'echo \'"28.0.1" ""\'').node() == ""


@pytest.mark.parametrize("said", OF_THE_HOST.values())
def test_an_engine_that_the_command_does_not_reach_is_the_hosts_fault(tmp_path: Path, said: str) -> None:
    with pytest.raises(InfrastructureError):
        command(tmp_path, says(said)).node()


def test_a_host_without_dockers_client_is_told_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"docker: not found in PATH"):
        DockerCommand({"PATH": str(tmp_path)}).node()


# ---- what is told ----


def test_an_image_is_pulled_by_its_name_whatever_that_is(tmp_path: Path) -> None:
    command(tmp_path, WELL).pull("--all-tags")
    assert called(tmp_path) == ["pull", "--quiet", "--", "--all-tags"]


def test_an_image_that_was_just_pulled_is_not_pulled_again(tmp_path: Path) -> None:
    told = command(tmp_path, WELL.replace('>"$CALLED"', '>>"$CALLED"'))
    for image in ("a", "b", "a", "b"):
        told.pull(image)
    assert [word for word in called(tmp_path) if word in {"a", "b"}] == ["a", "b"]


def test_an_image_whose_pull_failed_is_pulled_again(tmp_path: Path) -> None:
    told = command(tmp_path, 'echo x >>"$CALLED"; echo no route to host >&2; exit 1')
    for _ in range(2):
        with pytest.raises(InfrastructureError):
            told.pull("a")
    assert called(tmp_path) == ["x", "x"]


def test_compose_files_are_read_with_the_recipes_variables_and_none_of_ours(tmp_path: Path) -> None:
    theirs = {"TITLE": "a b", "DOCKER_HOST": "theirs", "PATH": "/theirs", "CALLED": str(tmp_path / "called")}
    (tmp_path / "checkout").mkdir()
    command(tmp_path, WELL.replace("env -0", "/usr/bin/env -0")).config(
        [Path("/a.yml"), Path("/b.yml")], theirs, tmp_path / "checkout"
    )
    assert called(tmp_path) == ["stack", "config", "--compose-file", "/a.yml", "--compose-file", "/b.yml"]
    told = dict(line.partition("=")[::2] for line in (tmp_path / "called.env").read_text().split("\0"))
    of_a_shell = {"PWD", "OLDPWD", "SHLVL", "_", ""}
    assert {name: told[name] for name in told.keys() - of_a_shell if not name.startswith("CANON_")} == theirs
    assert (tmp_path / "called.cwd").read_text() == f"{tmp_path}/checkout\n"


def test_a_compose_file_with_a_comma_in_its_path_is_one_value_in_docker_s_csv(tmp_path: Path) -> None:
    ours = {"CALLED": str(tmp_path / "called"), "PATH": os.environ["PATH"]}
    paths = ["/a,b/c.yml", '/a"b".yml', "/a b.yml"]
    command(tmp_path, WELL).config([Path(path) for path in paths], ours, tmp_path)
    assert [next(csv.reader([value])) for value in called(tmp_path)[3::2]] == [[path] for path in paths]


def test_a_variable_that_is_given_no_value_is_hidden_from_the_client_which_is_told_its_own_by_flags(
    tmp_path: Path,
) -> None:
    told = command(tmp_path, WELL)
    told.deploy("notes", Path("/a.json"), tmp_path, {"DOCKER_HOST", "PATH", "TITLE"})
    argv = called(tmp_path)
    assert argv[0] == "--config"
    assert argv[2:6] == ["--host", "ours", "stack", "deploy"]
    environment = (tmp_path / "called.env").read_text().split("\0")
    assert not any(each.startswith("DOCKER_HOST=") for each in environment)
    assert f"PATH={told.environment['PATH']}" not in environment
    assert f"CALLED={tmp_path}/called" in environment


def test_a_stack_is_handed_over_without_waiting_and_with_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    command(tmp_path, WELL).deploy("notes", Path("/a.json"), tmp_path)
    argv = called(tmp_path)
    assert argv[:2] + argv[-3:] == ["stack", "deploy", "--compose-file", "/a.json", "notes"]
    assert {"--detach=true", "--prune", "--resolve-image=always", "--with-registry-auth"} == {*argv[2:-3]}


def test_changing_commands_hold_the_lock_and_reading_commands_do_not(tmp_path: Path) -> None:
    script = '[ -e "/proc/self/fd/$LOCK" ] && echo "$*" >>"$CALLED"; exit 0\n'
    with (tmp_path / "lock").open("w") as lock:
        told = command(tmp_path, script.replace("$LOCK", str(lock.fileno())), lock.fileno())
        told.config([], {"LOCK": str(lock.fileno()), "CALLED": str(tmp_path / "called")}, tmp_path)
        told.pull("a")
        told.deploy("notes", Path("/a.json"), tmp_path)
    assert [line.split()[:2] for line in called(tmp_path)] == [["pull", "--quiet"], ["stack", "deploy"]]


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
    told = command(tmp_path, says(said))
    for deed in (
        lambda: told.pull("image"),
        lambda: told.config([], {}, tmp_path),
        lambda: told.deploy("notes", Path("/a.json"), tmp_path),
    ):
        with pytest.raises(CanonError) as failure:
            deed()
        assert type(failure.value) is kind


def test_an_unknown_message_blames_the_recipe_for_its_files_and_not_for_a_registry(tmp_path: Path) -> None:
    told = command(tmp_path, says("a word that nobody knows"))
    with pytest.raises(RecipeError):
        told.config([], {}, tmp_path)
    with pytest.raises(InfrastructureError):
        told.pull("image")


def test_a_client_that_is_killed_blames_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="docker stack deploy: Docker said nothing"):
        command(tmp_path, "kill -9 $$").deploy("notes", Path("/a.json"), tmp_path)
    with pytest.raises(InfrastructureError, match="docker stack deploy: Ignoring unsupported options: restart"):
        command(tmp_path, "echo 'Ignoring unsupported options: restart' >&2; kill -9 $$").deploy(
            "n", Path("/a.json"), tmp_path
        )


def test_the_preamble_of_docker_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"^pull a: a word$"):
        command(tmp_path, says(f"{DAEMON}rpc error: code = Unknown desc = a word")).pull("a")
