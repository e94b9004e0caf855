"""The swarm driver on a real engine: one app that lives, is saved, and is raised elsewhere at its next version."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from desired.model import Swarm
from reconciler.errors import InfrastructureError
from reconciler.host.swarm.engine import engine as docker
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.host.swarm.swarm_driver import SwarmDriver
from reconciler.ports.app import App, RemovalResult, RunningApp
from reconciler.ports.app_secrets import SecretNeed
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import BASE, COMMIT, NGINX, NGINX_NEXT, SwarmSlots, absent, options, release, server, service

SECRET = "never-in-an-argument-list"
PAGE = "made of a config"
SAMPLE = """\
TYPE=notes
DOMAIN=notes.example.com
TITLE=Notes
PRICE="costs $5"
SECRET_TOKEN_VERSION=v1 # length=24
"""
PARTS = {
    "configs": {
        "page": {"name": "${STACK_NAME}_page_${PAGE_VERSION}", "file": "page.tmpl", "template_driver": "golang"}
    },
    "secrets": {"token": {"name": "${STACK_NAME}_token_${SECRET_TOKEN_VERSION}", "external": True}},
    "volumes": {"data": {"name": "one-for-all"}, "more": {}},
    "networks": {"inner": {"internal": True}, "proxy": {"external": True}},
}
# What a shell inside makes in a volume: everything that a file system has, and names that only bytes tell.
FILL = r"""
cd /data; mkdir -p sub/empty
printf one >plain; printf two >'a space'; printf three >"$(printf 'a\nline')"; printf four >"$(printf 'a\377byte')"
printf five >sub/owned; chown 1234:5678 sub/owned; chmod 4750 sub/owned
ln plain sub/same; ln -s plain link; ln -s /nowhere sub/dangling; mkfifo pipe
truncate -s 3M sparse; chmod 000 sub/empty; chown 33:34 . sub; chmod 1770 .
find . -depth -exec touch -h -d '2001-02-03 04:05:06 UTC' {} +
"""
LIST = r"find /data -printf '%P|%y|%m|%U:%G|%l|%Ts' \( -type f -printf '|%s|%n' \) , -printf '\0'"


def checkout(folder: Path, image: str) -> Path:
    app = server(
        image,
        environment=["GREETING=hello", "ONLY_OURS"],
        secrets=["token"],
        configs=[{"source": "page", "target": "/usr/share/nginx/html/page.html"}],
        volumes=["data:/data", "more:/more"],
        networks=["inner", "proxy"],
    )
    worker = service("echo the token is $$(cat /run/secrets/token); exec sleep 1000", secrets=["token"])
    release(folder, {"app": app, "worker": {**worker, "networks": ["inner"]}}, PARTS, SAMPLE)
    (folder / "abra.sh").write_text("export PAGE_VERSION=v3\n")
    (folder / "page.tmpl").write_text(f'{PAGE}, for {{{{ env "GREETING" }}}}')
    return folder


@frozen
class Life:
    """An app and what became of it; `calls` has every call of Docker's command, with its environment."""

    slots: SwarmSlots
    app: App
    seen: RunningApp
    calls: Path


@pytest.fixture(scope="module")
def life(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life")
    calls = folder / "calls"
    slots = SwarmSlots.on(engine, folder / "work", PATH=f"{noting_client(folder, calls)}:{engine.environment['PATH']}")
    try:
        app = slots.app(token=SECRET)
        overlay = folder / "compose.ci.yml"
        overlay.write_text('{"version": "3.8", "services": {"worker": {"environment": {"LAID": "over"}}}}')
        slots.driver.deploy(
            app, checkout(folder / "one", NGINX), options(settings={"TITLE": "Ours"}, overlays=(overlay,))
        )
        yield Life(slots, app, slots.settled(app), calls)
    finally:
        slots.clear()


def noting_client(folder: Path, calls: Path) -> Path:
    """A folder with a `docker` that notes its arguments and environment, and is then the real one."""
    real = shutil.which("docker")
    shim = folder / "client" / "docker"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >>"{calls}"\nexec "{real}" "$@"\n')
    shim.chmod(0o755)
    return shim.parent


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


def test_a_release_needs_the_secrets_that_it_declares(life: Life, tmp_path: Path) -> None:
    assert life.slots.driver.needs(life.app, checkout(tmp_path / "one", NGINX), options()) == (SecretNeed("token", 24),)


def test_a_secret_that_only_a_maker_makes_is_needed_where_a_compose_file_in_use_names_it(
    life: Life, tmp_path: Path
) -> None:
    name = {"external": True, "name": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    files = release(tmp_path / "one", {"app": server()}, sample="SECRET_KEY_VERSION=v1 # generate=false\n")
    more = {"version": "3.8", "services": {"app": {"secrets": ["key"]}}, "secrets": {"key": name}}
    (files / "compose.key.yml").write_text(json.dumps(more))
    app = life.slots.app("maker")
    assert life.slots.driver.needs(app, files, options()) == ()
    both = options(settings={"COMPOSE_FILE": "compose.yml:compose.key.yml"})
    assert life.slots.driver.needs(app, files, both) == (SecretNeed("key"),)


def test_a_secret_with_a_given_version_is_made_although_the_sample_leaves_it_out(life: Life, tmp_path: Path) -> None:
    name = {"external": True, "name": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    app = life.slots.app("given", key="of the maker")
    one = server(secrets=["key"])
    files = release(tmp_path / "one", {"app": one}, {"secrets": {"key": name}}, "#SECRET_KEY_VERSION=v1\n")
    told = options(settings={"SECRET_KEY_VERSION": "v7"})
    assert life.slots.driver.needs(app, files, told) == (SecretNeed("key", 32),)
    try:
        life.slots.driver.deploy(app, files, told)
        life.slots.settled(app)
        assert life.slots.run(app, "cat", "/run/secrets/key") == "of the maker"
    finally:
        assert life.slots.driver.clear(app.mark) == RemovalResult()


def test_another_stack_that_claims_the_apps_port_is_not_deployed(life: Life, tmp_path: Path) -> None:
    taken = int(life.seen.address.rpartition(":")[2])
    other = life.slots.app("other")
    files = release(tmp_path / "one", {"app": server(ports=[f"{taken}:80"])})
    with pytest.raises(InfrastructureError) as refusal:
        life.slots.driver.deploy(other, files, options())
    wanted = f"notes: app needs port {taken}/tcp of the host, which {life.slots.stack(life.app)}_app uses"
    assert refusal.value.message == wanted
    assert life.slots.objects(other) == {}


def test_two_apps_of_one_recipe_behind_a_proxy_are_never_up_at_the_same_time(life: Life, tmp_path: Path) -> None:
    """They would have the same name, and nobody could tell which of them answers."""
    slots = life.slots
    driver = SwarmDriver(docker.Engine(slots.environment), Swarm(zone="ci.example", proxy="http://127.0.0.1:1"))
    first, second = slots.app("first", "named"), slots.app("second", "named")
    files = release(tmp_path / "one", {"app": server()})
    try:
        driver.deploy(first, files, options())
        with pytest.raises(InfrastructureError) as refusal:
            driver.deploy(second, files, options())
        at = stack_of(first, "ci.example").app
        assert refusal.value.message == f"named: app needs http://named.ci.example:1, which {at} uses"
        assert slots.objects(second) == {}
        assert driver.stop(first) == RemovalResult()
        driver.deploy(second, files, options())
    finally:
        assert driver.clear(first.mark) == driver.clear(second.mark) == RemovalResult()


def test_an_upgrade_keeps_earlier_settings_and_reports_new_ones(life: Life, tmp_path: Path) -> None:
    slots = life.slots
    app, again = slots.app("upgraded", "settled"), slots.app("raised", "settled")
    old = "TITLE=Old\n#SECRET_KEY_VERSION=v1\nMODE=sample\n"
    files = [
        release(tmp_path / name, {"app": server()}, sample=sample)
        for name, sample in (("one", old), ("two", "TITLE=New\nMODE=sample\nGREETING=Hi\nGIVEN=sample\n"))
    ]
    more = {"MODE": "ours", "GIVEN": "ours"}
    shown = ("sh", "-c", "echo $TITLE $MODE $GREETING $GIVEN")
    try:
        assert slots.driver.deploy(app, files[0], options(settings=more)) == ()
        slots.settled(app)
        said = slots.driver.deploy(app, files[1], options("2.0.0+2", settings=more))
        assert said == ("2.0.0+2 has new settings, to add in an upgrade: GREETING",)
        slots.settled(app)
        assert slots.run(app, *shown) == "Old ours Hi ours\n"

        assert slots.driver.stop(app) == RemovalResult()
        slots.driver.save(app, tmp_path)
        slots.driver.load(again, tmp_path)
        assert slots.driver.deploy(again, files[1], options("2.0.0+2")) == ()
        slots.settled(again)
        assert slots.run(again, *shown) == "Old sample Hi sample\n"
    finally:
        assert slots.driver.clear(app.mark) == slots.driver.clear(again.mark) == RemovalResult()


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


def test_a_network_is_removed_after_the_last_container_of_its_stack(engine: LocalEngine, tmp_path: Path) -> None:
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    slow = "trap 'sleep 3; exit 0' TERM; while :; do sleep 0.1; done"
    release(tmp_path / "slow", {"app": server(BASE, command=["sh", "-c", slow], stop_grace_period="20s")})
    try:
        slots.driver.deploy(app, tmp_path / "slow", options())
        slots.settled(app)
        since = str(time.time())
        assert slots.driver.remove(app) == RemovalResult()
    finally:
        slots.clear()
    shown = '{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}}'
    told = engine.docker("events", "--since", since, "--until", str(time.time()), "--format", shown).splitlines()
    ours = [line.rpartition(" ")[0] for line in told if stack_of(app, Swarm().zone).name in line]
    # The swarm removes a network before this engine destroys its own part of it.
    assert ours.index("container destroy") < ours.index("network remove"), ours
