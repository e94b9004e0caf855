"""The abra driver on a real swarm, with the stand-in for its command."""

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.ports.app import App, DeployOptions, NotRunning, RemovalResult, RunningApp
from reconciler.ports.app_secrets import SecretNeed
from tests.abra.abra_slot import FIRST, HUSH, KINDS, SECOND, AbraSlot
from tests.abra.installed_abra import InstalledAbra, docker


def files_of(folder: Path) -> Mapping[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(installed: InstalledAbra, registry: str, tmp_path: Path) -> Iterator[AbraSlot]:
    place = AbraSlot(installed, tmp_path, registry)
    place.slot.mkdir(parents=True)
    yield place
    place.installed.behave()
    for mark in place.driver.leftovers(tmp_path):
        assert place.driver.clear(mark) == RemovalResult()


def test_a_release_is_deployed_by_abra_and_seen_by_docker(place: AbraSlot) -> None:
    before = files_of(place.checkout(FIRST))
    assert place.driver.needs(place.app, place.checkout(FIRST), DeployOptions(FIRST, "c" * 40)) == (
        SecretNeed("key", 16),
    )
    place.deploy()
    seen = place.until_settled()
    assert (seen.version, seen.commit) == (FIRST, "c" * 40)
    with urllib.request.urlopen(f"http://{seen.address}/") as answer:
        assert answer.status == 200
    assert files_of(place.checkout(FIRST)) == before
    [deployed] = place.installed.called("deploy")
    assert "--chaos" not in deployed
    assert deployed[-2:] == [place.stack, FIRST]
    told = docker("service", "inspect", f"{place.stack}_app", "--format", "{{json .Spec}}")
    assert '"EXTRA=yes"' in told
    assert "GREETING=it's $1" in told
    assert f'"coop-cloud.{place.stack}.recipe":"page"' in told
    assert '"EndpointSpec":{"Mode":"dnsrr"' in told
    argv = [str(place.driver.app_run(place.app)), "cat", "/words", "/run/secrets/key"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == f"of the recipe\n{HUSH}"
    assert f"{place.stack}_words_v3" in place.left()["config"]


def test_a_newer_release_is_deployed_over_the_older_one(place: AbraSlot) -> None:
    place.deploy(FIRST)
    place.until_settled()
    place.deploy(SECOND)
    assert place.until_settled().version == SECOND
    _, second = place.installed.called("deploy")
    assert "--force" in second
    assert place.installed.called("--chaos") == []


def test_a_config_whose_version_was_not_raised_is_named_with_its_file_and_its_variable(place: AbraSlot) -> None:
    place.deploy(FIRST)
    (place.checkout(SECOND) / "words.txt").write_text("of the next release\n")
    with pytest.raises(RecipeError, match=r"abra app deploy: .*only updates to Labels are allowed") as refused:
        place.deploy(SECOND)
    assert refused.value.hint == "words.txt changed, but WORDS_VERSION is still v3: raise it in abra.sh"


OLD_COMPOSE = """\
version: "3.3"
services:
  app:
    image: {registry}/nginx:1.22.1
    networks: [proxy]
    deploy:
      labels: ["traefik.http.services.${{STACK_NAME}}.loadbalancer.server.port=80"]
networks:
  proxy: {{external: true}}
"""


def test_compose_files_of_different_versions_are_deployed_by_abra_too(place: AbraSlot) -> None:
    (place.checkout(FIRST) / "compose.yml").write_text(OLD_COMPOSE.format(registry=place.registry))
    place.deploy(FIRST)
    assert place.until_settled().version == FIRST


def test_a_branch_is_deployed_with_chaos(place: AbraSlot) -> None:
    place.deploy("main")
    seen = place.driver.status(place.app)
    assert isinstance(seen, RunningApp)
    assert (seen.version, seen.commit) == ("main", "c" * 40)
    [deployed] = place.installed.called("deploy")
    assert deployed[-2:] == ["--chaos", place.stack]


def test_data_at_rest_is_carried_into_another_slot(place: AbraSlot) -> None:
    place.deploy(FIRST)
    place.until_settled()
    docker("exec", container(place.stack), "sh", "-c", "echo lived > /usr/share/nginx/html/lived.txt")
    driver, saved = place.driver, place.root / "saved"
    assert driver.stop(place.app) == RemovalResult()
    assert isinstance(driver.status(place.app), NotRunning)
    saved.mkdir()
    driver.save(place.app, saved)
    assert driver.remove(place.app) == RemovalResult()

    later = place.root / "work" / "page" / "raised"
    app = App("page", later / "page", str(later))
    later.mkdir()
    driver.load(app, saved)
    place.deploy(SECOND, app)
    seen = place.until_settled(app)
    with urllib.request.urlopen(f"http://{seen.address}/lived.txt") as answer:
        assert answer.read() == b"lived\n"
    assert driver.remove(app) == RemovalResult()


def container(stack: str) -> str:
    label = f"label=com.docker.swarm.service.name={stack}_app"
    return docker("ps", "--quiet", "--filter", label, "--filter", "status=running")


def test_an_app_that_was_stopped_is_deployed_again_with_its_secrets(place: AbraSlot) -> None:
    place.deploy()
    place.driver.stop(place.app)
    place.deploy()
    assert not isinstance(place.driver.status(place.app), NotRunning)
    first, second = place.installed.called("insert")
    assert first == second


@pytest.mark.parametrize(
    ("behaviour", "error", "said"),
    [
        (
            "says done",
            InfrastructureError,
            "page: abra app deploy ended with 0, but Docker has nothing of this deployment",
        ),
        ("asks", InfrastructureError, "abra app deploy: EOF"),
        ("wants a terminal", InfrastructureError, "abra app deploy: could not open a new TTY: open /dev/tty"),
        ("hangs", InfrastructureError, "abra app deploy: did not end within 20 s"),
        (
            "fatal: Cannot connect to the Docker daemon",
            InfrastructureError,
            "abra app deploy: Cannot connect to the Docker",
        ),
        ("fatal: lint error in page configs", RecipeError, "abra app deploy: lint error in page configs"),
    ],
)
def test_the_result_of_abra_is_read_from_its_output_and_from_docker(
    place: AbraSlot, behaviour: str, error: type[Exception], said: str
) -> None:
    place.installed.behave(app_deploy=behaviour)
    impatient = AbraSlot(place.installed, place.root, place.registry, changing=20.0 if behaviour == "hangs" else 300.0)
    with pytest.raises(error) as refused:
        impatient.deploy()
    assert str(refused.value).startswith(said)
    assert "service" not in place.left()


def test_a_command_that_did_nothing_over_an_older_deployment_is_found_out(place: AbraSlot) -> None:
    place.deploy(FIRST)
    place.installed.behave(app_deploy="says done")
    with pytest.raises(InfrastructureError, match="nothing of this deployment"):
        place.deploy(FIRST)


def test_an_abra_that_lacks_a_flag_is_named_before_anything_is_done(place: AbraSlot) -> None:
    place.installed.behave(app_deploy="is older")
    with pytest.raises(InfrastructureError) as refused:
        place.driver.needs(place.app, place.checkout(FIRST), DeployOptions(FIRST, "c" * 40))
    assert refused.value.message == "abra app deploy has no --no-converge-checks"


def test_a_missing_abra_is_named(place: AbraSlot) -> None:
    (place.installed.bin / "abra").unlink()
    with pytest.raises(InfrastructureError, match="abra: not found in PATH"):
        place.driver.needs(place.app, place.checkout(FIRST), DeployOptions(FIRST, "c" * 40))


def test_nothing_of_an_app_outlives_its_removal(place: AbraSlot) -> None:
    place.deploy()
    place.until_settled()
    assert {*place.left()} == {*KINDS}
    assert place.driver.remove(place.app) == RemovalResult()
    assert place.left() == {}
    assert not place.app.folder.exists()
    acting = [call for call in place.installed.calls if "--help" not in call["argv"]]
    assert [call["argv"][1] for call in acting] == ["secret", "deploy", "undeploy"]
    for call in acting:
        assert ("--no-input" in call["argv"], call["stdin"]) == (True, "null")
        assert HUSH not in " ".join(call["argv"])
        assert {"ABRA_DIR", "GIT_TERMINAL_PROMPT"} <= {*call["variables"]}


@pytest.mark.parametrize("behaviour", ["says done", "fatal: the moon is full"])
def test_objects_that_abra_leaves_behind_are_removed_by_docker(place: AbraSlot, behaviour: str) -> None:
    place.deploy()
    place.installed.behave(app_undeploy=behaviour)
    residue = place.driver.remove(place.app)
    assert residue.remaining == ()
    assert place.left() == {}
    told = "".join(residue.ended)
    assert told == (
        "" if behaviour == "says done" else f"{place.stack} (by Docker itself: abra app undeploy: the moon is full)"
    )


@pytest.mark.parametrize("behaviour", ["", "fatal: no"])
def test_objects_of_a_killed_pass_are_found_and_removed(place: AbraSlot, behaviour: str) -> None:
    """Also where it died between the first secret, which bears no mark of ours, and the deployment."""
    place.installed.behave(app_deploy=behaviour)
    if behaviour:
        with pytest.raises(RecipeError):
            place.deploy()
    else:
        place.deploy()
    assert place.left()["secret"] == [f"{place.stack}_key_v1"]
    shutil.rmtree(place.slot)
    assert place.driver.leftovers(place.root / "work") == (str(place.slot),)
    assert place.driver.clear(str(place.slot)) == RemovalResult()
    assert place.left() == {}
    assert place.driver.leftovers(place.root / "work") == ()
