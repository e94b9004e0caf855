import json
import os
import random
from pathlib import Path

import pytest

from reconciler.core.host_checks import CheckResult
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.go_yaml import read_config
from reconciler.host.swarm.swarm_check import check_swarm
from tests.images.build import Image, inputs, read_images, served
from tests.swarm.local_engine import LocalEngine

IMAGES = read_images()
# What YAML's readers and writers are known to disagree about.
HARD = (
    *("0x8000000000000000000", ".1_", "=", "<<", "1234-56-78", "2024-13-01", "2024-01-01", "2001-12-14 21:59:43Z"),
    *("017", "08", "0o17", "0b1_0", "1_000", "190:20:30.15", "1e3", ".inf", "-.INF", ".nan", "~", "null", "on", "tRue"),
    *("9223372036854775808", "1e400", "", " a ", "a: b", "a #b", "- a", "a\nb", "é", "\U0001f600", "$x"),
)


@pytest.mark.parametrize("image", [one for images in IMAGES.values() for one in images], ids=lambda image: image.title)
def test_the_registry_serves_each_image_as_its_folder_tells_it(engine: LocalEngine, image: Image) -> None:
    assert engine.serves(image.title)
    assert served(image) == inputs(image, IMAGES), "another than this: python3 tests/images/build.py"


def test_the_client_resolves_compose_files(engine: LocalEngine) -> None:
    assert "docker stack config" in engine.docker("stack", "config", "--help")


def test_any_value_that_the_client_prints_is_read_as_it_was_written(engine: LocalEngine, tmp_path: Path) -> None:
    chance = random.Random(2024)  # noqa: S311 - no secret
    drawn = [
        "".join(chance.choices("0123456789_:.-+eExXoOtTzZ =<~ynYNbn,", k=chance.randint(1, 10))) for _ in range(1500)
    ]
    values = {f"V{number}": value for number, value in enumerate([*HARD, *drawn])}
    environment = {name: value.replace("$", "$$") for name, value in values.items()}
    compose = tmp_path / "compose.json"
    asked = {"version": "3.8", "services": {"app": {"image": "x", "environment": environment}}}
    compose.write_text(json.dumps(asked, ensure_ascii=False))
    printed = engine.docker("stack", "config", "--compose-file", str(compose))
    assert read_config(printed.encode())["services"]["app"]["environment"] == values


def test_the_engine_has_the_network_that_recipes_share_with_their_proxy(engine: LocalEngine) -> None:
    told = engine.docker("network", "inspect", "--format", "{{.Driver}} {{.Attachable}}", "proxy")
    assert told == "overlay true"


def test_a_script_that_runs_out_of_time_is_killed_with_its_children_and_nothing_else_is(engine: LocalEngine) -> None:
    container = engine.docker("run", "--detach", f"{engine.registry}/base:bookworm", "sleep", "601")
    try:
        commands = Engine(engine.environment)
        assert commands.execute(container, "echo some; exit 3", 60.0) == (3, b"some\n")
        assert commands.execute(container, "sleep 602 & echo more; sleep 603; true", 3.0) == (None, b"more\n")
        _, *running = engine.docker("top", container, "-eo", "pid,args").splitlines()
        assert [line.split()[1:] for line in running] == [["sleep", "601"]]
    finally:
        engine.docker("rm", "--force", container)


def test_doctor_finds_the_swarm_as_recipes_need_it(engine: LocalEngine) -> None:
    check = check_swarm({"PATH": os.environ["PATH"], "DOCKER_HOST": os.environ["DOCKER_HOST"]})
    assert check.result is CheckResult.OK
    assert engine.docker("info", "--format", "{{.Swarm.NodeID}}") in check.found
