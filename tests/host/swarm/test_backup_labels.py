"""Tests how backupbot labels are parsed."""

from collections.abc import Mapping

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.swarm.data.backup_labels import BackupHook, BackupRequest, parse_labels

VOLUMES = ("data", "db", "cache")
ASKS = {"backupbot.backup": "true"}

Labels = Mapping[str, Mapping[str, str]]


def asked(**labels: Mapping[str, str]) -> BackupRequest:
    found = parse_labels(labels, VOLUMES)
    assert found is not None
    return found


def test_if_one_service_asks_for_a_backup_every_volume_of_the_stack_is_backed_up() -> None:
    assert asked(app=ASKS, db={}) == BackupRequest(dict.fromkeys(VOLUMES, ()), ())


@pytest.mark.parametrize("said", ["false", "", "yes", "${ENABLE_BACKUPS:-true}"])
def test_a_backup_label_other_than_true_asks_for_no_backup(said: str) -> None:
    assert parse_labels({"app": {"backupbot.backup": said, "backupbot.backup.pre-hook": "dump"}}, VOLUMES) is None


def test_labels_of_hooks_and_volumes_count_on_every_service() -> None:
    told = {
        "backupbot.backup.pre-hook": "/dump.sh",
        "backupbot.backup.volumes.db": "false",
        "backupbot.restore.post-hook": "/load.sh",
    }
    dump, load = BackupHook("db", "backup.pre-hook", "/dump.sh"), BackupHook("db", "restore.post-hook", "/load.sh")
    assert asked(app=ASKS, db=told) == BackupRequest({"data": (), "cache": ()}, (dump, load))


def test_only_the_named_paths_of_a_volume_are_backed_up() -> None:
    told = {**ASKS, "backupbot.backup.volumes.data.path": "/sub, more/of it,"}
    assert asked(app=told).paths["data"] == ("sub", "more/of it")


def test_a_volume_that_a_label_leaves_out_stays_out_although_its_paths_are_named() -> None:
    told = {**ASKS, "backupbot.backup.volumes.data": "false", "backupbot.backup.volumes.data.path": "sub"}
    assert "data" not in asked(app=told).paths


def test_a_volume_that_the_stack_has_not_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="names the volume files, which the stack does not have"):
        asked(app={**ASKS, "backupbot.backup.volumes.files.path": "sub"})


def test_a_label_of_version_1_is_ignored_and_noted() -> None:
    found = asked(app={**ASKS, "backupbot.backup.path": "/data"})
    assert found.ignored == ("app: backupbot.backup.path",)
    assert found.paths == dict.fromkeys(VOLUMES, ())


NAMES = st.sampled_from(("app", "db", "worker"))
LABELS = st.dictionaries(
    st.sampled_from(
        (
            "backupbot.backup",
            "backupbot.backup.pre-hook",
            "backupbot.restore.post-hook",
            "backupbot.backup.volumes.db",
            "backupbot.backup.volumes.data.path",
            "traefik.enable",
        )
    ),
    st.sampled_from(("true", "false", "sub")),
)


@given(st.dictionaries(NAMES, LABELS), st.permutations(("app", "db", "worker")))
def test_the_backup_does_not_depend_on_the_order_of_services(labels: Labels, order: list[str]) -> None:
    shuffled = {name: labels[name] for name in order if name in labels}
    told, again = parse_labels(labels, VOLUMES), parse_labels(shuffled, VOLUMES)
    event(f"asks: {told is not None}, hooks: {len(told.hooks) if told else 0}")
    assert (told is None) == all(own.get("backupbot.backup") != "true" for own in labels.values())
    assert (told and (told.paths, told.hooks)) == (again and (again.paths, again.hooks))


@given(st.dictionaries(NAMES, LABELS))
def test_every_hook_of_a_stack_that_asks_is_run(labels: Labels) -> None:
    found = parse_labels(labels, VOLUMES)
    hooks = {(name, label, said) for name, own in labels.items() for label, said in own.items() if "hook" in label}
    event(f"hooks: {len(hooks)}, asks: {found is not None}")
    if found is not None:
        assert {(hook.service, f"backupbot.{hook.label}", hook.command) for hook in found.hooks} == hooks
