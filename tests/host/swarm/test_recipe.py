import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.sample import parse_sample
from reconciler.host.swarm.recipe.recipe import (
    SwarmRecipe,
    check_inside,
    compose_files,
    deployment_variables,
    parse_exports,
    read_recipe,
)
from reconciler.ports.app_secrets import SecretNeed
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
def test_of_a_shell_file_only_exported_constants_are_known(line: str, exports: Mapping[str, str]) -> None:
    assert dict(parse_exports(line)) == exports


@given(TEXTS)
def test_any_text_is_a_shell_file_or_refused_in_words(text: str) -> None:
    exports = parse_or_refuse(lambda text: dict(parse_exports(text)), text, "abra.sh")
    if exports:
        event("exports")
        assert not any("\0" in value or "\n" in value for value in exports.values())


@given(st.lists(VALUES, min_size=20, max_size=20))
def test_what_is_known_of_an_export_is_what_a_shell_makes_of_it(values: list[str]) -> None:
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


def test_a_later_setting_holds_and_ours_hold_above_all() -> None:
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


def test_what_builds_on_a_domain_or_a_given_setting_gets_the_one_that_holds() -> None:
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


# ---- files ----


def test_a_release_is_read_without_running_anything_of_it(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n")
    (tmp_path / "abra.sh").write_text("touch ran\nexport APP_INI_VERSION=v1\n")
    (tmp_path / ".env.sample").write_text("TYPE=notes\nSECRET_A_VERSION=v1\nSECRET_KEY_VERSION=v3 # generate=false\n")
    recipe = read_recipe(tmp_path)
    assert recipe.exports == {"APP_INI_VERSION": "v1"}
    assert recipe.sample.secrets == (SecretNeed("a", 32), SecretNeed("key", None))
    assert recipe.sample.versions == {"a": "v1", "key": "v3"}
    assert not (tmp_path / "ran").exists()


def test_a_release_needs_a_compose_file_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"the release has no compose.yml"):
        read_recipe(tmp_path)
    (tmp_path / "compose.yml").touch()
    assert read_recipe(tmp_path) == SwarmRecipe(parse_sample(""), {})


@pytest.mark.parametrize("name", ["compose.yml", ".env.sample", "abra.sh"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large", "binary"])
def test_a_file_that_is_none_of_the_releases_own_text_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "compose.yml").touch()
    path = tmp_path / name
    path.unlink(missing_ok=True)
    make: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to("/etc/hostname"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "large": lambda: path.write_bytes(b"#" * 70_000),
        "binary": lambda: path.write_bytes(b"# \xff\n"),
    }
    make[kind]()
    with pytest.raises(RecipeError, match=rf"^{name}"):
        read_recipe(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A release with files, links and folders of every kind, beside a file that is none of its own."""
    folder = tmp_path / "checkout"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.yml").touch()
    (tmp_path / "checkout-2").mkdir()
    (tmp_path / "checkout-2" / "compose.yml").touch()
    for name in ("compose.yml", "compose.a.yml", "folder/compose.yml"):
        (folder / name).touch()
    for name, target in {
        "within.yml": "folder/compose.yml",
        "out.yml": "../outside.yml",
        "absolute.yml": "/etc/hostname",
        "dangling.yml": "nowhere.yml",
        "circle.yml": "circle.yml",
        "up": "..",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.yml")
    return folder


@pytest.mark.parametrize(
    ("named", "files"),
    [
        (None, ["compose.yml"]),
        ("compose.yml", ["compose.yml"]),
        ("compose.yml:compose.a.yml", ["compose.yml", "compose.a.yml"]),
        (":compose.a.yml::", ["compose.a.yml"]),
        ("folder/../compose.yml", ["folder/../compose.yml"]),
        ("within.yml", ["within.yml"]),
    ],
)
def test_the_compose_files_are_those_named(checkout: Path, named: str | None, files: list[str]) -> None:
    told = {} if named is None else {"COMPOSE_FILE": named}
    assert compose_files(told, checkout) == tuple(checkout / name for name in files)


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("../outside.yml", "is not within the release"),
        ("../checkout-2/compose.yml", "is not within the release"),
        ("/etc/hostname", "is not within the release"),
        ("out.yml", "is not within the release"),
        ("absolute.yml", "is not within the release"),
        ("up/outside.yml", "is not within the release"),
        ("nowhere.yml", "the release does not have"),
        ("dangling.yml", "the release does not have"),
        ("circle.yml", "the release does not have"),
        ("x" * 300, "the release does not have"),
        ("a\0b", "the release does not have"),
        ("\udcff", "the release does not have"),
        ("folder", "is no file"),
        ("pipe.yml", "is no file"),
        (".", "is no file"),
    ],
)
def test_a_compose_file_that_is_none_of_the_releases_own_is_refused(checkout: Path, named: str, why: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        compose_files({"COMPOSE_FILE": f"compose.yml:{named}"}, checkout)
    assert refusal.value.message.endswith(why)
    assert refusal.value.message.isprintable()


STEPS = st.lists(st.sampled_from(["..", ".", "folder", "up", "circle.yml", "checkout", "etc", ""]), max_size=5)
LAST = st.sampled_from(["compose.yml", "compose.yml", "hostname", "."])


@given(STEPS, LAST, st.sampled_from(["", "", "", "/"]))
def test_no_path_leads_out_of_a_release(steps: list[str], last: str, root: str) -> None:
    with scratch_folder() as folder:
        checkout = folder / "checkout"
        (checkout / "folder").mkdir(parents=True)
        for path, text in {checkout / "compose.yml": "ours", folder / "compose.yml": "theirs"}.items():
            path.write_text(text)
        (checkout / "up").symlink_to("..")
        (checkout / "circle.yml").symlink_to("folder/../circle.yml")
        path = checkout / (root + "/".join([*steps, last]))
        try:
            check_inside(checkout, path, "it")
        except RecipeError:
            event("refused")
        else:
            event("taken")
            assert path.read_text() == "ours"
