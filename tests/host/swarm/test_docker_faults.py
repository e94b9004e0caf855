import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.swarm.engine.docker_faults import classify_failure
from tests.host.swarm.docker_messages import DAEMON, OF_THE_HOST, OF_THE_HOST_TOO, OF_THE_RECIPE


def sorted_as(said: str, *, of_recipe: bool = True) -> CanonError:
    return classify_failure("docker stack deploy", said.encode(), of_recipe=of_recipe)


@pytest.mark.parametrize("said", [*OF_THE_HOST.values(), *OF_THE_HOST_TOO.values()])
def test_a_fault_of_the_host_blames_no_recipe_and_has_a_hint(said: str) -> None:
    fault = sorted_as(said)
    assert isinstance(fault, InfrastructureError)
    assert fault.hint
    assert fault.message.endswith(said.removeprefix(DAEMON).removeprefix("rpc error: code = Unknown desc = "))


@pytest.mark.parametrize("said", OF_THE_RECIPE.values())
def test_a_failure_of_an_argument_that_the_recipe_chose_is_the_recipes_fault(said: str) -> None:
    assert isinstance(sorted_as(said), RecipeError)


@pytest.mark.parametrize("said", [*OF_THE_RECIPE.values(), "a word that nobody knows"])
def test_no_recipe_is_blamed_where_it_had_no_part(said: str) -> None:
    assert isinstance(sorted_as(said, of_recipe=False), InfrastructureError)


@pytest.mark.parametrize(
    ("which", "hint"),
    [
        ("the engine is down", "start Docker"),
        ("its host is unknown", "start Docker"),
        ("its socket is closed to us", "group of Docker's socket"),
        ("this host is no manager", "docker swarm init"),
        ("no room for an image", "make room where the engine keeps its data"),
        ("no room for a network", "default-address-pools"),
        ("a network is missing", "docker network create"),
        ("a network of this host alone", "docker network create"),
        ("the registry is down", "registry of images"),
        ("the registry is unknown", "registry of images"),
        ("an interface of an earlier network", "ip -d link show type vxlan"),
    ],
)
def test_a_fault_of_the_host_names_its_remedy(which: str, hint: str) -> None:
    assert hint in sorted_as((OF_THE_HOST | OF_THE_HOST_TOO)[which]).hint


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (OF_THE_RECIPE["no such secret"], "docker stack deploy: service app: secret not found: notes_password_v1"),
        (
            f"WARNING: Error loading config file\n\n{OF_THE_RECIPE['no such tag']}\n",
            "docker stack deploy: manifest for 127.0.0.1:5000/nginx:9 not found: manifest unknown: manifest unknown",
        ),
        (
            f"{DAEMON}rpc error: code = InvalidArgument desc = name must be valid",
            "docker stack deploy: name must be valid",
        ),
        ("", "docker stack deploy: Docker said nothing"),
        ("a\x1b[31mb", "docker stack deploy: a\\x1b[31mb"),
    ],
)
def test_a_fault_is_reported_in_one_line_without_dockers_preambles(said: str, message: str) -> None:
    assert sorted_as(said).message == message


@given(st.binary())
def test_any_message_of_docker_becomes_one_printable_line(said: bytes) -> None:
    assert classify_failure("it", said).message.isprintable()
