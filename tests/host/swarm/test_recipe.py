import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.host.sample import parse_sample
from reconciler.host.swarm.recipe.recipe import (
    SwarmRecipe,
    deployment_variables,
    parse_exports,
    read_recipe,
)
from tests.folders import scratch_folder
from tests.host.almost_valid_files import TEXTS, parse_or_refuse

OURS = {"STACK_NAME": "notes-1", "DOMAIN": "notes.localhost"}


NAMES = st.sampled_from(["A", "B", "C", "TITLE", "COMPOSE_FILE", "DOMAIN", "STACK_NAME"])
TIMES = st.dictionaries(NAMES, st.text("ab:.$", max_size=6))


# What shells read alike, and we are to read as they do or to leave alone.
VALUES = st.text(st.sampled_from("ab1.-_:/+='\"$`\\#;&|<>()~{}*?! \t"), max_size=12)
PLAIN = st.text("ab$ {}", max_size=8)


def settings(
    sample: str = "", given: Mapping[str, str] | None = None, exports: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    return deployment_variables(SwarmRecipe(parse_sample(sample, 32), exports or {}), given or {}, OURS)


# ---- abra.sh ----


@pytest.mark.parametrize(
    ("line", "exports"),
    [
        ("export APP_INI_VERSION=v23", {"APP_INI_VERSION": "v23"}),
        ("export  A=1 # why", {"A": "1"}),
        ("export A='x $y `z`'", {"A": "x $y `z`"}),
        ('export A="x # y" # why', {"A": "x # y"}),
        ("export A=", {"A": ""}),
        ("export A=1\r\nexport B=2\n", {"A": "1", "B": "2"}),
        ("export A=1\nexport A=2", {"A": "2"}),
        ("\ufeffexport A=1", {"A": "1"}),
        # What only a shell could tell:
        ("export A=$B", {}),
        ("export A=${B:-v3}", {}),
        ('export A="$(cat /etc/hostname)"', {}),
        ("export A=`id`", {}),
        ("export A=1; rm -rf /", {}),
        ("export A=x#y", {}),
        ("export A=~/x", {}),
        ("export A='x'y", {}),
        ("export A", {}),
        ("A=1", {}),
        ("set_up() {\n  export A=1\n}", {}),
        ("if false; then\n\texport A=1\nfi", {}),
    ],
)
def test_only_exported_constants_of_a_shell_file_are_read(line: str, exports: Mapping[str, str]) -> None:
    assert dict(parse_exports(line)) == exports


@given(TEXTS)
def test_any_text_is_a_shell_file_or_refused_in_words(text: str) -> None:
    exports = parse_or_refuse(lambda text: dict(parse_exports(text)), text, "abra.sh")
    if exports:
        event("exports")
        assert not any("\0" in value or "\n" in value for value in exports.values())


@given(st.lists(VALUES, min_size=20, max_size=20))
def test_an_export_is_read_with_the_value_that_a_shell_gives_it(values: list[str]) -> None:
    known: dict[str, str] = {}
    for number, value in enumerate(values):
        known |= parse_exports(f"export A{number}={value}")
    event(f"{len(known) // 5 * 5} or more of 20 are known")
    script = [f"export {name}={values[int(name[1:])]}\nprintf '%s\\0' \"${name}\"" for name in known]
    assert of_a_shell("\n".join(script)) == [*known.values(), ""]


def of_a_shell(script: str) -> list[str]:
    argv = ["bash", "--noprofile", "--norc", "-c", script]
    with scratch_folder() as empty:
        told = subprocess.run(argv, capture_output=True, check=True, cwd=empty, env={}, timeout=30)
    return told.stdout.decode().split("\0")


# ---- settings ----


def test_given_settings_replace_those_of_the_sample_and_canons_own_replace_all_others() -> None:
    assert settings("A=sample\nB=sample\nC=sample\nDOMAIN=notes.example.com") == {
        "A": "sample",
        "B": "sample",
        "C": "sample",
        **OURS,
    }
    assert settings("A=sample\nB=sample\nC=sample", {"B": "given", "C": "given"}, {"C": "exported"}) == {
        "A": "sample",
        "B": "given",
        "C": "exported",
        **OURS,
    }
    assert settings(given={"STACK_NAME": "other"}, exports={"DOMAIN": "other"}) == OURS


def test_the_version_of_a_secret_is_a_setting_that_may_be_given() -> None:
    sample = "SECRET_DB_PASSWORD_VERSION=v2 # length=16"
    assert settings(sample)["SECRET_DB_PASSWORD_VERSION"] == "v2"
    given = settings(sample, {"SECRET_DB_PASSWORD_VERSION": "v7"})
    assert given["SECRET_DB_PASSWORD_VERSION"] == "v7"


@pytest.mark.parametrize(
    ("sample", "files"),
    [
        ("", None),
        ('COMPOSE_FILE="$COMPOSE_FILE:compose.postgres.yml"', "compose.yml:compose.postgres.yml"),
        (
            'COMPOSE_FILE="compose.yml"\nCOMPOSE_FILE="$COMPOSE_FILE:a.yml"\nCOMPOSE_FILE="${COMPOSE_FILE}:b.yml"',
            "compose.yml:a.yml:b.yml",
        ),
        ("COMPOSE_FILE='$COMPOSE_FILE'", "$COMPOSE_FILE"),
    ],
)
def test_each_line_of_compose_files_builds_on_the_one_before(sample: str, files: str | None) -> None:
    assert settings(sample).get("COMPOSE_FILE") == files


def test_a_setting_that_uses_the_domain_or_a_given_setting_gets_its_final_value() -> None:
    sample = "DOMAIN=notes.example.com\nTITLE=Notes\nSANDBOX=sandbox.$DOMAIN\nLONG='$TITLE' \nSAID=\"${TITLE} of us\"\n"
    told = settings(sample, {"TITLE": "Our notes"})
    assert told["SANDBOX"] == "sandbox.notes.localhost"
    assert told["SAID"] == "Our notes of us"
    assert told["LONG"] == "$TITLE"


@given(st.lists(st.tuples(NAMES, PLAIN)), TIMES, TIMES)
def test_settings_lose_nothing_and_expand_no_value_that_was_given(
    lines: list[tuple[str, str]], given: dict[str, str], exports: dict[str, str]
) -> None:
    told = settings("".join(f"{name}='{value}'\n" for name, value in lines), given, exports)
    event(f"{len(lines)} lines" if len(lines) < 3 else "many lines")
    assert told == {**dict(lines), **given, **exports, **OURS}


def test_a_variable_that_is_not_known_stays_as_it_is() -> None:
    assert settings("A=$UNKNOWN ${UNKNOWN:-x} $ $1\nB=$A$A")["B"] == "$UNKNOWN ${UNKNOWN:-x} $ $1" * 2


@pytest.mark.parametrize(
    "name", ["DOCKER_HOST", "docker_host", "HOME", "PATH", "HTTPS_PROXY", "no_proxy", "XDG_RUNTIME_DIR", "LD_PRELOAD"]
)
def test_a_setting_that_has_the_name_of_a_clients_own_is_the_apps(tmp_path: Path, name: str) -> None:
    (tmp_path / "compose.yml").touch()
    (tmp_path / ".env.sample").write_text(f"{name}=/of the app\n")
    assert deployment_variables(read_recipe(tmp_path), {}, OURS) == {name: "/of the app", **OURS}
    assert settings(given={name: "x"}, exports={"A": "y"})[name] == "x"
