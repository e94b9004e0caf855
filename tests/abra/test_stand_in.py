"""What the stand-in does, as far as public documents tell it of the real `abra`."""

import json
import re

import pytest

from tests.abra.installed_abra import AbraOperator, InstalledAbra
from tests.repositories import git

COMPOSE = """\
version: "3.8"
services:
  app:
    image: {image}
    command: sleep infinity
    stop_grace_period: 1s
    secrets: [key]
    deploy:
      endpoint_mode: dnsrr
      labels:
        - "coop-cloud.${{STACK_NAME}}.version={version}"
        - "coop-cloud.${{STACK_NAME}}.timeout=${{TIMEOUT:-60}}"
  side:
    image: {image}
    command: sleep infinity
    stop_grace_period: 1s
    deploy:
      endpoint_mode: dnsrr
secrets:
  key:
    external: true
    name: ${{STACK_NAME}}_key_${{SECRET_KEY_VERSION}}
"""
DEPLOY = ("app", "deploy", "--no-input", "--offline", "--no-domain-checks", "--no-converge-checks")
FIRST, SECOND = "1.0.0+1", "1.1.0+2"


def publish(operator: AbraOperator, version: str, registry: str, *, annotated: bool = True) -> None:
    files = {
        "compose.yml": COMPOSE.format(image=f"{registry}/base:bookworm", version=version),
        "abra.sh": "export PAGE_VERSION=v3\n",
    }
    operator.commit(files, version, annotated=annotated)


def insert_key(operator: AbraOperator) -> None:
    file = operator.root / "key"
    file.write_text("hush")
    said = operator.abra("app", "secret", "insert", "-n", operator.app, "key", "v1", "-f", str(file))
    assert (said.code, said.err) == (0, "")


def labels(operator: AbraOperator) -> dict[str, str]:
    written = operator.docker("service", "inspect", f"{operator.stack}_app", "--format", "{{json .Spec.Labels}}")
    prefix = f"coop-cloud.{operator.stack}."
    return {name.removeprefix(prefix): said for name, said in json.loads(written).items() if name.startswith(prefix)}


def services(operator: AbraOperator) -> set[str]:
    label = f"label=com.docker.stack.namespace={operator.stack}"
    return {*operator.docker("service", "ls", "--format", "{{.Name}}", "--filter", label).split()}


def variables(operator: AbraOperator, service: str) -> set[str]:
    """The environment of a service, each as NAME=VALUE."""
    asked = ("service", "inspect", f"{operator.stack}_{service}", "--format")
    return {*(json.loads(operator.docker(*asked, "{{json .Spec.TaskTemplate.ContainerSpec.Env}}")) or ())}


def test_a_deployment_bears_its_labels_and_its_settings_and_its_version_is_pinned(
    operator: AbraOperator, on_engine: str
) -> None:
    publish(operator, FIRST, on_engine)
    publish(operator, SECOND, on_engine)
    insert_key(operator)
    said = operator.abra(*DEPLOY, operator.app, FIRST)
    assert (said.code, said.err) == (0, "")
    assert labels(operator) == {"recipe": "page", "chaos": "false", "version": FIRST, "timeout": "60"}
    assert f"TYPE=page:{FIRST}" in operator.env_file.read_text().splitlines()
    assert {"GREETING=what", "PAGE_VERSION=v3", f"STACK_NAME={operator.stack}"} <= variables(operator, "app")
    assert variables(operator, "side") == set()


def test_without_a_version_the_pinned_one_is_deployed_and_else_the_latest(
    operator: AbraOperator, on_engine: str
) -> None:
    publish(operator, FIRST, on_engine)
    publish(operator, SECOND, on_engine)
    insert_key(operator)
    assert operator.abra(*DEPLOY, operator.app).code == 0
    assert labels(operator)["version"] == SECOND
    assert operator.abra(*DEPLOY, "--force", operator.app, FIRST).code == 0
    assert operator.abra(*DEPLOY, "--force", operator.app).code == 0
    assert labels(operator)["version"] == FIRST


def test_what_is_deployed_is_refused_without_force(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    insert_key(operator)
    assert operator.abra(*DEPLOY, operator.app).code == 0
    again = operator.abra(*DEPLOY, operator.app)
    assert (again.code, again.err) == (1, f"FATA {operator.app} is already deployed\n")


def test_an_untracked_file_is_refused_except_with_chaos(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    insert_key(operator)
    (operator.recipe / "compose.ci.yml").touch()
    refused = operator.abra(*DEPLOY, operator.app, FIRST)
    assert (refused.code, refused.err) == (1, "FATA page has locally unstaged changes\n")
    assert services(operator) == set()
    assert operator.abra(*DEPLOY, "--chaos", operator.app).code == 0
    told = labels(operator)
    commit = git(operator.recipe, "rev-parse", "--short=8", "HEAD").decode().strip()
    assert (told["chaos"], told["chaos-version"], told["version"]) == ("true", f"{commit}+U", FIRST)


def test_a_secret_that_is_not_there_is_fatal_and_one_that_is_cannot_be_inserted(
    operator: AbraOperator, on_engine: str
) -> None:
    publish(operator, FIRST, on_engine)
    lacking = operator.abra(*DEPLOY, operator.app, FIRST)
    assert lacking.code == 1
    assert lacking.err == f"FATA unable to deploy, secrets not generated: {operator.stack}_key_v1\n"
    insert_key(operator)
    again = operator.abra("app", "secret", "insert", "-n", operator.app, "key", "v1", "other")
    assert again.code == 1
    assert re.fullmatch(rf"FATA .*AlreadyExists.*{operator.stack}_key_v1 already exists\n", again.err)


def test_a_lightweight_tag_fails_lint(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine, annotated=False)
    insert_key(operator)
    said = operator.abra(*DEPLOY, operator.app, FIRST)
    assert (said.code, "R014" in said.err) == (1, True)
    assert services(operator) == set()


WAITING = [word for word in DEPLOY if word != "--no-converge-checks"]


def test_it_waits_until_every_replica_is_there(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    insert_key(operator)
    assert operator.abra(*WAITING, operator.app, FIRST).code == 0
    replicas = operator.docker(
        "service", "ls", "--format", "{{.Replicas}}", "--filter", f"name={operator.stack}_"
    ).split()
    assert replicas == ["1/1", "1/1"]


def test_it_gives_up_waiting_in_its_time(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    compose = (operator.recipe / "compose.yml").read_text()
    operator.commit({"compose.yml": compose.replace("sleep infinity", "/bin/false")}, SECOND)
    insert_key(operator)
    with operator.env_file.open("a") as env:
        env.write("TIMEOUT=1\n")
    late = operator.abra(*WAITING, operator.app, SECOND)
    assert (late.code, late.err) == (1, "FATA deploy timed out\n")


def test_undeploy_leaves_secrets_behind(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    insert_key(operator)
    assert operator.abra("app", "undeploy", "-n", operator.app).err == f"FATA {operator.app} is not deployed\n"
    assert operator.abra(*DEPLOY, operator.app, FIRST).code == 0
    assert operator.abra("app", "undeploy", "-n", operator.app).code == 0
    assert services(operator) == set()
    secrets = operator.docker("secret", "ls", "--format", "{{.Name}}", "--filter", f"name={operator.stack}_")
    assert secrets == f"{operator.stack}_key_v1"


def test_without_no_input_it_asks(operator: AbraOperator, on_engine: str) -> None:
    publish(operator, FIRST, on_engine)
    insert_key(operator)
    asking = [word for word in DEPLOY if word != "--no-input"]
    unheard = operator.abra(*asking, operator.app, FIRST)
    assert (unheard.code, unheard.err) == (1, "FATA EOF\n")
    assert unheard.out.startswith("? ")
    assert services(operator) == set()
    assert operator.abra(*asking, operator.app, FIRST, stdin="y\n").code == 0
    assert services(operator) == {f"{operator.stack}_app", f"{operator.stack}_side"}


@pytest.mark.parametrize(
    ("behaviour", "code", "err"),
    [
        ("fatal: the moon is full", 1, "FATA the moon is full\n"),
        ("says done", 0, ""),
        ("asks", 1, "FATA EOF\n"),
        ("wants a terminal", 1, "FATA could not open a new TTY: open /dev/tty: no such device or address\n"),
    ],
)
def test_it_misbehaves_as_configured(operator: AbraOperator, behaviour: str, code: int, err: str) -> None:
    operator.installed.behave(app_deploy=behaviour)
    said = operator.abra(*DEPLOY, operator.app)
    assert (said.code, said.err) == (code, err)


def test_an_older_one_does_not_know_every_flag(operator: AbraOperator) -> None:
    operator.installed.behave(app_deploy="is older")
    assert operator.abra(*DEPLOY, operator.app).err == "FATA unknown flag: --no-converge-checks\n"
    told = operator.abra("app", "deploy", "--help").out
    assert "--force" in told
    assert "--no-converge-checks" not in told


def test_an_app_it_does_not_have_is_fatal(operator: AbraOperator) -> None:
    said = operator.abra(*DEPLOY, "other.example")
    assert (said.code, said.err) == (1, "FATA cannot find app with name other.example\n")


def test_every_call_is_written_down(installed: InstalledAbra, operator: AbraOperator) -> None:
    operator.abra("app", "deploy", "--help")
    operator.abra("app", "undeploy", operator.app, stdin="")
    assert [call["argv"] for call in installed.calls] == [
        ["app", "deploy", "--help"],
        ["app", "undeploy", operator.app],
    ]
    assert [call["stdin"] for call in installed.calls] == ["null", "other"]
    assert "ABRA_DIR" in installed.calls[0]["variables"]
