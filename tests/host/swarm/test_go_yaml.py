"""Tests that the YAML of Docker's client is read correctly; tests/swarm/test_local_engine.py asks the real client."""

import math

import pytest

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.recipe.go_yaml import read_config


def read(plain: str) -> object:
    return read_config(f"services:\n  app: {plain}\n".encode())["services"]["app"]


@pytest.mark.parametrize(
    "text",
    [
        "0x8000000000000000000", ".1_", "1:30", "190:20:30.15", "=", "<<", "1234-56-78", "2024-13-01", "0b11", "1_000",
        "2001-12-14 21:59:43Z", "yes", "off", "Null", "TRUE", "1.2.3", "e3", "+", ".", "1e400",
    ],
)  # fmt: skip
def test_a_value_that_gos_writer_leaves_without_quotes_is_a_string(text: str) -> None:
    assert read(text) == text


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-12", -12),
        ("18446744073709551615", 18446744073709551615), ("0.5", 0.5), ("1e+06", 1e6), ("-.5", -0.5), ("5.", 5.0),
        (".inf", math.inf), ("-.inf", -math.inf), ('"1"', "1"), ("'~'", "~"), ("[]", []), ("{}", {}),
        ("[a, 1]", ["a", 1]),
    ],
)  # fmt: skip
def test_a_value_that_is_no_string_keeps_its_type(plain: str, value: object) -> None:
    assert read(plain) == value
    assert type(read(plain)) is type(value)


@pytest.mark.parametrize(
    "printed", [b"services: [", b"\xff", b"a: &a b\nc: *d", b"? \x00", b"a: !!python/name:os.system x"]
)
def test_output_of_the_client_that_cannot_be_read_blames_the_host_and_not_the_recipe(printed: bytes) -> None:
    with pytest.raises(InfrastructureError, match="docker stack config: cannot read what it printed"):
        read_config(printed)


def test_empty_output_is_read_as_a_stack_without_services() -> None:
    assert read_config(b"") == {"services": {}}
