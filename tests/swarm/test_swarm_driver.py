"""The swarm driver on a real engine: one app that lives, is saved, and is raised elsewhere at its next version."""

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from reconciler.errors import InfrastructureError
from reconciler.ports.app import App, RemovalResult, RunningApp
from tests.swarm.lived_app import FILL, LIST, PAGE, SECRET, Life, checkout, lived
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import COMMIT, NGINX, NGINX_NEXT, SwarmSlots, absent, options, release, server


@pytest.fixture(scope="module")
def life(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with lived(engine, tmp_path_factory.mktemp("life")) as life:
        yield life


def get(seen: RunningApp, path: str) -> str:
    with urllib.request.urlopen(seen.url + path, timeout=30) as answer:  # noqa: S310 - a url of our own
        body: bytes = answer.read()
    return body.decode()


def labels(one: Any) -> Any:  # noqa: ANN401 - of any kind of object
    """Where Docker has them: it keeps them in a place of its own for each kind."""
    return one.get("Labels") or one.get("Spec", {}).get("Labels") or one.get("Config", {}).get("Labels")


# ---- deployed ----


def test_an_app_is_seen_with_the_release_that_runs(life: Life) -> None:
    assert (life.seen.version, life.seen.commit) == ("1.0.0+1", COMMIT)
    assert life.seen.url == f"http://{life.seen.address}"
    assert "Welcome" in get(life.seen, "/")


def test_another_driver_sees_the_same_from_the_swarm_alone(life: Life) -> None:
    assert SwarmSlots.on(life.slots.engine, life.slots.folder).driver.status(life.app) == life.seen


def test_a_config_is_what_its_file_says_with_what_swarm_fills_in(life: Life) -> None:
    assert get(life.seen, "/page.html") == f"{PAGE}, for hello"


def test_an_app_gets_its_settings_and_what_was_given_in_their_stead(life: Life) -> None:
    told = dict(line.partition("=")[::2] for line in life.slots.run(life.app, "env").splitlines())
    assert (told["TITLE"], told["PRICE"], told["GREETING"]) == ("Ours", "costs $5", "hello")
    assert told["DOMAIN"] == "notes.localhost"


def test_a_service_other_than_app_gets_only_the_values_of_its_files(life: Life) -> None:
    (worker,) = life.slots.inspect("service", f"{life.slots.stack(life.app)}_worker")
    assert worker["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] == ["LAID=over"]


def test_a_command_runs_inside_the_app_as_it_was_given(life: Life) -> None:
    assert life.slots.run(life.app, "printf", "%s|", "a b", "$HOME", "it's", "*") == "a b|$HOME|it's|*|"
    assert life.slots.run(life.app, "cat", text="from outside") == "from outside"
    assert life.slots.run(life.app, "cat", "/etc/debian_version").startswith("12.")
    assert life.slots.run_inside(life.app, "sh", "-c", "exit 7").returncode == 7


def test_an_unreachable_docker_is_not_taken_for_an_app_that_does_not_run(life: Life, tmp_path: Path) -> None:
    inside = life.slots.driver.app_run(life.app).read_text()
    for name, old, new, code in (
        ("away", life.slots.engine.host, "unix:///nowhere", 125),
        ("nothing", "label=com.docker.swarm.service.name=", "label=com.docker.swarm.service.name=no-", 127),
    ):
        assert old in inside
        (tmp_path / name).write_text(inside.replace(old, new, 1))
        done = subprocess.run(["sh", tmp_path / name, "true"], capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def test_a_secret_is_in_no_argument_list_and_in_no_environment(life: Life) -> None:
    assert life.slots.run(life.app, "cat", "/run/secrets/token") == SECRET
    calls = life.calls.read_text()
    assert "\nstack\ndeploy\n" in calls
    assert SECRET not in calls


def test_every_object_that_was_made_bears_the_slots_mark_and_no_container_does(life: Life) -> None:
    found = life.slots.objects(life.app)
    assert {kind: len(names) for kind, names in found.items()} == {
        "service": 2,
        "container": 2,
        "volume": 2,
        "network": 1,
        "secret": 1,
        "config": 1,
    }
    for kind, names in found.items():
        for one in life.slots.inspect(kind, *names):
            assert ("canon.slot" in labels(one)) == (kind != "container")
            assert labels(one)["com.docker.stack.namespace"] == life.slots.stack(life.app)


def test_co_op_clouds_commands_find_their_labels(life: Life) -> None:
    stack = life.slots.stack(life.app)
    (app,) = life.slots.inspect("service", f"{stack}_app")
    told = {name: said for name, said in labels(app).items() if name.startswith("coop-cloud.")}
    assert {name.removeprefix(f"coop-cloud.{stack}."): said for name, said in told.items()} == {
        "recipe": "notes",
        "version": "1.0.0+1",
        "chaos": "false",
    }


def test_labels_and_options_that_a_recipe_gives_its_objects_stay(life: Life) -> None:
    stack = life.slots.stack(life.app)
    (network,) = life.slots.inspect("network", f"{stack}_inner")
    (config,) = life.slots.inspect("config", f"{stack}_page_v3")
    assert network["Internal"] is True
    assert config["Spec"]["Templating"]["Name"] == "golang"
    assert life.slots.objects(life.app)["volume"] == [f"{stack}_data", f"{stack}_more"]


def test_the_logs_have_a_file_for_each_service_and_no_secret(life: Life) -> None:
    lines = life.slots.driver.logs(life.app)
    assert [line for line in lines if line.startswith("worker: the token is ")] == ["worker: the token is [redacted]"]
    assert {path.name for path in life.app.logs.iterdir()} == {"app.log", "worker.log"}
    assert SECRET not in "".join(path.read_text() for path in life.app.logs.iterdir())


def test_an_app_that_runs_is_not_saved(life: Life, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="still runs"):
        life.slots.driver.save(life.app, tmp_path)
    assert not any(tmp_path.iterdir())


def test_another_stack_that_claims_the_apps_port_is_not_deployed(life: Life, tmp_path: Path) -> None:
    taken = int(life.seen.address.rpartition(":")[2])
    other = life.slots.app("other")
    files = release(tmp_path / "one", {"app": server(ports=[f"{taken}:80"])})
    with pytest.raises(InfrastructureError) as refusal:
        life.slots.driver.deploy(other, files, options())
    wanted = f"notes: app needs port {taken}/tcp of the host, which {life.slots.stack(life.app)}_app uses"
    assert refusal.value.message == wanted
    assert life.slots.objects(other) == {}


# ---- at rest, and saved ----


@frozen
class Saved:
    """What was saved of an app at rest, and what was in its volume."""

    life: Life
    folder: Path
    listed: str
    stopped: RemovalResult


@pytest.fixture(scope="module")
def saved(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    life.slots.run(life.app, "sh", "-ec", FILL)
    listed = life.slots.run(life.app, "sh", "-ec", LIST)
    stopped = life.slots.driver.stop(life.app)
    folder = tmp_path_factory.mktemp("saved")
    life.slots.driver.save(life.app, folder)
    return Saved(life, folder, listed, stopped)


def test_a_stopped_app_is_absent_and_keeps_all_but_its_containers(saved: Saved) -> None:
    life = saved.life
    assert saved.stopped == RemovalResult()
    assert absent(life.slots.driver.status(life.app)) == ""
    # Swarm keeps a stopped container for a while.
    kept = {"service", "volume", "network", "secret", "config", "container"}
    assert kept - {"container"} <= life.slots.objects(life.app).keys() <= kept
    running = ("status=running", f"label=com.docker.stack.namespace={life.slots.stack(life.app)}")
    assert life.slots.engine.docker("ps", "--quiet", "--filter", running[0], "--filter", running[1]) == ""
    assert (life.app.logs / "worker.log").read_text() == "the token is [redacted]\n"


def test_a_saved_app_has_an_archive_of_each_volume_which_only_we_can_read(saved: Saved) -> None:
    files = {path.relative_to(saved.folder).as_posix() for path in saved.folder.rglob("*") if path.is_file()}
    assert files == {"volumes/data.tar", "volumes/more.tar", "secrets/token", "settings.json"}
    assert (saved.folder / "volumes").stat().st_mode & 0o777 == 0o700
    assert (saved.folder / "volumes" / "data.tar").stat().st_mode & 0o777 == 0o600


def test_other_data_is_not_loaded_into_an_app_that_has_data_already(saved: Saved) -> None:
    with pytest.raises(InfrastructureError, match="has data already"):
        saved.life.slots.driver.load(saved.life.app, saved.folder)


def test_a_stopped_app_is_deployed_again_with_its_data_and_upgraded_over_it(saved: Saved, tmp_path: Path) -> None:
    life = saved.life
    for number, image in enumerate((NGINX, NGINX_NEXT), start=1):
        life.slots.driver.deploy(life.app, checkout(tmp_path / image[-1], image), options(f"{number}.0.0+{number}"))
        assert life.slots.settled(life.app).version == f"{number}.0.0+{number}"
        assert life.slots.run(life.app, "sh", "-ec", LIST) == saved.listed
    assert life.slots.run(life.app, "cat", "/etc/debian_version").startswith("13.")


# ---- raised elsewhere ----


@pytest.fixture(scope="module")
def raised(saved: Saved, tmp_path_factory: pytest.TempPathFactory) -> App:
    """In a slot of its own, at the next version at once."""
    slots = saved.life.slots
    app = slots.app("elsewhere")
    slots.driver.load(app, saved.folder)
    slots.driver.deploy(app, checkout(tmp_path_factory.mktemp("two") / "two", NGINX_NEXT), options("2.0.0+2"))
    slots.settled(app)
    return app


def test_a_raised_app_has_the_data_with_owners_modes_links_and_times(saved: Saved, raised: App) -> None:
    listed = saved.life.slots.run(raised, "sh", "-ec", LIST)
    assert sorted(listed.split("\0")) == sorted(saved.listed.split("\0"))
    for line in ("|d|1770|33:34||", "sub/owned|f|4750|1234:5678||", "link|l|777|0:0|plain|", "pipe|p|", "|3145728|1"):
        assert line in listed
    assert "sub/same|f|644|0:0||981173106|3|2" in listed
    contents = saved.life.slots.run(raised, "sh", "-ec", "cd /data; cat plain 'a space' sub/owned")
    assert contents == "onetwofive"


def test_a_raised_app_has_the_secret_and_is_seen_as_what_it_was_raised_at(saved: Saved, raised: App) -> None:
    slots = saved.life.slots
    assert slots.run(raised, "cat", "/run/secrets/token") == SECRET
    assert slots.settled(raised).version == "2.0.0+2"
    assert slots.settled(raised).address != saved.life.seen.address


def test_a_removed_app_leaves_nothing_and_takes_nothing_of_another_slot(saved: Saved, raised: App) -> None:
    slots, other = saved.life.slots, saved.life.app
    before = slots.objects(other)
    assert set(slots.driver.leftovers(slots.folder)) == {raised.mark, other.mark}
    assert slots.driver.leftovers(slots.folder / "none") == ()
    assert slots.driver.remove(raised) == RemovalResult()
    assert slots.objects(raised) == {}
    assert not raised.folder.exists()
    assert slots.driver.leftovers(slots.folder) == (other.mark,)
    assert slots.objects(other) == before
    assert slots.driver.remove(raised) == RemovalResult()
