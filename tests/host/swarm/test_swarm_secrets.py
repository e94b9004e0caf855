"""Tests which secrets a release needs and their names. Docker's real client resolves the compose files."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import RecipeError
from reconciler.host import app_directory
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe import swarm_secrets as secrets
from reconciler.host.swarm.recipe.prepared_release import prepare_release
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.ports.app import App, DeployOptions
from reconciler.ports.app_secrets import SecretNeed
from tests.swarm.stacks import options

pytestmark = pytest.mark.needs("docker-client")


def stand_in_engine() -> Engine:
    """One that is asked nothing: reading compose files needs Docker's client alone."""
    return Engine({"PATH": str(Path(shutil.which("docker") or "").parent)})


def app_in(folder: Path, **files: str) -> App:
    app = App("notes", folder / "slot" / "notes", str(folder / "slot"))
    app_directory.create_folders(app)
    for name, text in files.items():
        (app.secrets / name).write_text(text)
    return app


def release(folder: Path, names: Mapping[str, str], sample: str, used: tuple[str, ...] | None = None) -> Path:
    """A release whose compose file has external secrets by these names, all of them or some used by its service."""
    folder.mkdir()
    compose: dict[str, Any] = {
        "version": "3.8",
        "services": {"app": {"image": "x", "secrets": [*(names if used is None else used)]}},
        "secrets": {key: {"external": True, "name": name} for key, name in names.items()},
    }
    (folder / "compose.yml").write_text(json.dumps(compose))
    (folder / ".env.sample").write_text(sample)
    return folder


def asked(
    folder: Path, names: Mapping[str, str], sample: str, deployed: DeployOptions | None = None
) -> dict[str, SecretNeed]:
    files = release(folder / "release", names, sample)
    needs = secrets.secret_needs(stand_in_engine(), app_in(folder), files, deployed or options())
    return {need.name: need for need in needs}


@pytest.mark.parametrize(
    ("names", "sample", "need", "full"),
    [
        (
            {"token": "${STACK_NAME}_token_${SECRET_TOKEN_VERSION}"},
            "SECRET_TOKEN_VERSION=v1 # length=20 charset=default",
            SecretNeed("token", 20),
            "token_v1",
        ),
        (
            {"ovh_key": "${STACK_NAME}_ovh_key_${SECRET_OVH_KEY}"},
            "SECRET_OVH_KEY=v2 # length=9 charset=hex",
            SecretNeed("ovh_key", 9, "hex"),
            "ovh_key_v2",
        ),
        (
            {"db_password": "${STACK_NAME}_DB_PASSWORD_${SECRET_DB_PASSWORD_VERSION}"},
            "SECRET_DB_PASSWORD_VERSION=v1",
            SecretNeed("db_password", 32, other_names=("DB_PASSWORD",)),
            "DB_PASSWORD_v1",
        ),
        (
            {"Api-Key": "${STACK_NAME}_api-key_${API_KEY_V}"},
            "API_KEY_V=v1 # generate=false",
            SecretNeed("Api-Key"),
            "api-key_v1",
        ),
        (
            {"key": "${STACK_NAME}_key_${SECRET_KEY_VERSION:-v3}"},
            "#SECRET_KEY_VERSION=v1 # length=5",
            SecretNeed("key", 32),
            "key_v3",
        ),
        (
            {"key": "${STACK_NAME}_other_${SECRET_KEY_VERSION:-v3}"},
            "SECRET_KEY_VERSION=v4 # length=5",
            SecretNeed("key", 5),
            "other_v4",
        ),
        ({"fixed": "${STACK_NAME}_fixed_v1"}, "", SecretNeed("fixed", 32), "fixed_v1"),
    ],
)
def test_a_secret_is_called_as_compose_files_call_it_and_described_by_the_variable_in_its_name(
    tmp_path: Path, names: Mapping[str, str], sample: str, need: SecretNeed, full: str
) -> None:
    told = asked(tmp_path, names, sample)
    (key,) = names
    assert told == {key: need}
    app = app_in(tmp_path, **{key: "secret"})
    prepared = prepare_release(stand_in_engine(), stack_of(app, "localhost"), tmp_path / "release", options(), "")
    assert secrets.provided_files(prepared, app) == {f"{prepared.stack.name}_{full}": app.secrets / key}


def test_two_secrets_that_share_a_version_variable_are_asked_for_separately(tmp_path: Path) -> None:
    names = {key: f"${{STACK_NAME}}_{key}_${{SECRET_VERSION}}" for key in ("db", "db_root")}
    told = asked(tmp_path, names, "SECRET_VERSION=v1 # length=12\n")
    assert told == {"db": SecretNeed("db", 12), "db_root": SecretNeed("db_root", 12)}


def test_only_secrets_that_a_service_uses_and_that_belong_to_the_stack_are_asked_for(tmp_path: Path) -> None:
    names = {
        "used": "${STACK_NAME}_used_v1",
        "unused": "${STACK_NAME}_unused_v1",
        "of_the_host": "smtp_password",
        "without": "${STACK_NAME}_without_${SECRET_WITHOUT_VERSION}",
    }
    files = release(tmp_path / "release", names, "SECRET_MORE_VERSION=v1\n", ("used", "of_the_host", "without"))
    needs = secrets.secret_needs(stand_in_engine(), app_in(tmp_path), files, options())
    assert [need.name for need in needs] == ["used"]


def test_a_given_version_makes_a_secret_of_a_line_that_is_commented_out_in_the_sample(tmp_path: Path) -> None:
    names = {"key": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    assert asked(tmp_path / "a", names, "#SECRET_KEY_VERSION=v1") == {}
    told = asked(tmp_path / "b", names, "#SECRET_KEY_VERSION=v1", options(settings={"SECRET_KEY_VERSION": "v7"}))
    assert told == {"key": SecretNeed("key", 32)}


def test_an_upgrade_uses_the_secret_length_of_the_new_release(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    app_directory.write_settings(app, options(), "SECRET_KEY_VERSION=v1 # length=32\n")
    names = {"key": "${STACK_NAME}_key_${SECRET_KEY_VERSION}"}
    files = release(tmp_path / "release", names, "SECRET_KEY_VERSION=v2 # length=64\n")
    (need,) = secrets.secret_needs(stand_in_engine(), app, files, options("2.0.0+2"))
    assert (need.length, need.declares_length) == (64, True)


def test_a_snapshot_that_has_a_secret_by_its_name_in_the_swarm_keeps_it(tmp_path: Path) -> None:
    app = app_in(tmp_path, password="had before")
    names = {"db": "${STACK_NAME}_password_${SECRET_PASSWORD_VERSION}"}
    files = release(tmp_path / "release", names, "SECRET_PASSWORD_VERSION=v1\n")
    (need,) = secrets.secret_needs(stand_in_engine(), app, files, options())
    assert need.names == ("db", "password")
    prepared = prepare_release(stand_in_engine(), stack_of(app, "localhost"), files, options(), "")
    assert [*secrets.provided_files(prepared, app).values()] == [app.secrets / "password"]


def test_an_invalid_length_is_refused_with_the_name_of_the_secret(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the length of secret key is not from 1 to 4096"):
        asked(tmp_path, {"key": "${STACK_NAME}_key_${KEY_V}"}, "KEY_V=v1 # length=0\nTITLE=x # length=any\n")


def test_a_new_app_made_like_another_uses_the_sample_of_that_app(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    living, fresh = app_in(tmp_path / "a"), app_in(tmp_path)
    app_directory.write_settings(living, options(), "NAME=old\n")
    assert app_directory.sample_for(fresh, options(sample_from=living)) == "NAME=old\n"
    assert app_directory.sample_for(fresh, options()) == ""
    app_directory.write_settings(fresh, options(), "NAME=own\n")
    assert app_directory.sample_for(fresh, options(sample_from=living)) == "NAME=own\n"
