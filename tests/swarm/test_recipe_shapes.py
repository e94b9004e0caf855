"""Recipes of shapes that real ones have, on the real Swarm, deployed by the driver."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from reconciler.errors import RecipeError
from reconciler.ports.app import RemovalResult, RunningApp
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import SwarmSlots, deployed, options, release, server, service

DATA = ["data:/data"]
NETWORKS = {"networks": {"inner": {"internal": True}, "proxy": {"external": True}}}


@pytest.fixture
def slots(engine: LocalEngine, tmp_path: Path) -> Iterator[SwarmSlots]:
    made = SwarmSlots.on(engine, tmp_path / "work")
    yield made
    made.clear()


def test_an_app_behind_a_web_server_is_reached_there_and_one_without_a_port_is_not_reached_at_all(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    back = service("exec sleep 1000", networks=["inner"])
    front = server(networks=["inner", "proxy"])
    bot = service("exec sleep 1000")
    behind, without = slots.app("behind"), slots.app("without", "bot")
    try:
        files = release(tmp_path / "behind", {"app": back, "web": front}, NETWORKS)
        slots.driver.deploy(behind, files, options())
        slots.driver.deploy(without, release(tmp_path / "bot", {"app": bot}), options(needs_port=False))

        seen = slots.settled(behind)
        with urllib.request.urlopen(seen.url, timeout=30) as answer:  # noqa: S310 - a url of our own
            assert b"The web server works" in answer.read()
        assert seen.peer == f"{slots.stack(behind)}_web:80"
        assert slots.run(behind, "sh", "-c", "test -e /usr/sbin/nginx || echo the back end") == "the back end\n"

        silent = slots.settled(without)
        assert (silent.url, silent.address, silent.peer) == ("", "", "")
    finally:
        assert slots.driver.clear(behind.mark) == slots.driver.clear(without.mark) == RemovalResult()


def test_services_that_stop_in_time_are_stopped_and_killed_ones_with_data_are_reported(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    """A stack of three: one that takes longer to stop than Docker's ten seconds, and two that never do."""
    slow = service("trap 'sleep 13; exit 0' TERM; while :; do sleep 0.2; done", stop_grace_period="1m", volumes=DATA)
    unrecorded = "trap '' TERM; while :; do sleep 0.2; done"
    stubborn = service(unrecorded, stop_grace_period="3s", volumes=DATA)
    idle = service(unrecorded, stop_grace_period="1s")
    app, parts = slots.app(), {"volumes": {"data": dict[str, object]()}}
    try:
        first = {"app": server(), "slow": slow, "stubborn": stubborn, "idle": idle}
        slots.driver.deploy(app, release(tmp_path / "one", first, parts), options())
        assert slots.settled(app).killed == ()

        newer = {**first, "stubborn": {**stubborn, "environment": {"NEWER": "yes"}}}
        slots.driver.deploy(app, release(tmp_path / "two", newer, parts), options("2.0.0+2"))
        assert slots.seen(app, lambda seen: bool(seen.is_up and seen.killed)).killed == ("stubborn (3 s)",)

        assert slots.driver.stop(app) == RemovalResult(killed=("stubborn (3 s)",), without_data=("idle (1 s)",))
        assert not isinstance(slots.driver.status(app), RunningApp)
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


LIMITED = {"resources": {"limits": {"memory": "256M"}}}


@pytest.mark.parametrize("change", [{}, LIMITED], ids=["another port", "another limit"])
def test_an_old_task_that_had_to_be_killed_is_reported_even_if_its_container_is_not_changed(
    slots: SwarmSlots, tmp_path: Path, change: Mapping[str, object]
) -> None:
    """Canon publishes another port of the app at each deployment, so Swarm replaces its task."""
    never_ends = "trap '' TERM QUIT; nginx & while :; do sleep 0.2; done"
    parts = {"volumes": {"data": dict[str, object]()}}
    app, front = slots.app(), server(entrypoint=["sh", "-c", never_ends], stop_grace_period="3s", volumes=DATA)
    try:
        slots.driver.deploy(app, release(tmp_path / "one", {"app": front}, parts), options())
        assert slots.settled(app).killed == ()
        newer = {**front, "deploy": {**front["deploy"], **change}}
        slots.driver.deploy(app, release(tmp_path / "two", {"app": newer}, parts), options("2.0.0+2"))
        assert slots.settled(app).killed == ("app (3 s)",)
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


HOOK = "for i in 1 2 3 4 5 6 7 8 9; do echo Step $$i of nine is going to be taken; done; echo the reason >&2; exit 1"


def test_a_hook_that_fails_is_reported_with_its_last_lines_and_its_log_has_all_lines(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    front = server(volumes=DATA)
    front["deploy"]["labels"] |= {"backupbot.backup": "true", "backupbot.backup.pre-hook": HOOK}
    app = slots.app()
    try:
        slots.driver.deploy(app, release(tmp_path / "one", {"app": front}, {"volumes": {"data": {}}}), options())
        slots.settled(app)
        with pytest.raises(
            RecipeError, match=r"pre-hook of app \(for i in .*\) exited 1: ….* taken the reason$"
        ) as failed:
            slots.driver.backup(app, tmp_path)
        assert failed.value.tail[-1] == "the reason"
        slots.driver.logs(app)
        (log,) = app.logs.glob("*pre-hook.log")
        said = log.read_text().splitlines()
        assert said == [f"Step {number} of nine is going to be taken" for number in range(1, 10)] + ["the reason"]
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


@pytest.mark.parametrize(
    ("first", "second", "fleets"), [("3.3", "3.8", None), (None, "3.8", None), ("3.8", None, "3.3")]
)
def test_compose_files_of_different_versions_are_one_stack_with_the_variables_of_all_their_files(
    slots: SwarmSlots, tmp_path: Path, first: str | None, second: str | None, fleets: str | None
) -> None:
    """One of them lies in a folder of its own, and names a file as seen from the first, as Docker does, and another."""
    files = release(tmp_path / "one", {"app": server(networks=["proxy"])}, {"networks": NETWORKS["networks"]})
    compose = json.loads((files / "compose.yml").read_text())
    (files / "compose.yml").write_text(json.dumps(versioned(compose, first)))
    (files / "more").mkdir()
    for name in ("more/first.env", "more/beside.env"):
        (files / name).write_text(f"{Path(name).stem.upper()}=1\n")
    more = {"services": {"app": {"env_file": ["more/first.env", "beside.env"]}}}
    (files / "more" / "compose.more.yml").write_text(yaml.safe_dump(versioned(more, second)))
    (files / ".env.sample").write_text("COMPOSE_FILE=compose.yml:more/compose.more.yml\n")
    overlay = tmp_path / "fleet" / "compose.ci.yml"
    overlay.parent.mkdir()
    overlay.write_text(json.dumps(versioned({"services": {"app": {"env_file": "ci.env"}}}, fleets)))
    (overlay.parent / "ci.env").write_text("FLEETS=1\n")
    app = slots.app()
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    try:
        slots.driver.deploy(app, files, options(overlays=(overlay,)))
        slots.settled(app)
        told = slots.run(app, "env").splitlines()
        assert {"FIRST=1", "BESIDE=1", "FLEETS=1"} <= {*told}
        assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


CONFIGS = {
    "configs": {
        "page": {"name": "${STACK_NAME}_page_${PAGE_VERSION}", "file": "page.txt"},
        "rules": {"file": "rules.txt"},
    }
}


def test_a_config_whose_version_was_not_raised_is_named_with_its_file_and_its_variable(
    slots: SwarmSlots, tmp_path: Path
) -> None:
    app, config = slots.app(), ["page", "rules"]
    idle = service("true", **deployed(replicas=0))
    files = release(tmp_path / "one", {"app": server(configs=config, tmpfs=["/run/x:size=1m"]), "idle": idle}, CONFIGS)
    (files / "abra.sh").write_text("export PAGE_VERSION=v1\n")
    for name in ("page.txt", "rules.txt"):
        (files / name).write_text("one\n")
    try:
        assert slots.driver.deploy(app, files, options()) == (
            "idle is scaled to zero: nothing of it was tried",
            "app: Docker gives a stack no tmpfs, and dropped /run/x:size=1m",
        )
        told = {
            "page.txt": "page.txt changed, but PAGE_VERSION is still v1: raise it in abra.sh",
            "rules.txt": "rules.txt changed, and config rules has no version in its name: give it one, and raise it",
        }
        for name, hint in told.items():
            (files / name).write_text("two\n")
            with pytest.raises(RecipeError, match="only updates to Labels are allowed") as refused:
                slots.driver.deploy(app, files, options("2.0.0+2"))
            assert refused.value.hint.startswith(hint)
            (files / name).write_text("one\n")
    finally:
        assert slots.driver.clear(app.mark) == RemovalResult()


def versioned(compose: Mapping[str, object], version: str | None) -> Mapping[str, object]:
    """It with this version, or with none."""
    rest = {name: said for name, said in compose.items() if name != "version"}
    return rest if version is None else {"version": version, **rest}
