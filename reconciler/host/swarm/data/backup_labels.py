"""Parses the labels of backup-bot-two, version 2 of their specification. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from reconciler.errors import RecipeError
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.host.swarm.services.service import volumes_in

_WANTED = "backupbot.backup"
_VOLUME = re.compile(r"backupbot\.backup\.volumes\.([^.]+)(\.path)?")
# A label of version 1. backup-bot-two ignores it, and Canon too.
_OLD = "backupbot.backup.path"


@frozen
class BackupHook:
    """A shell command that a label asks for. It runs in a container of a service.

    * `service`: the name of the service in the recipe.
    * `label`: the end of the label's name, after "backupbot.", such as "backup.pre-hook".
    * `command`: the shell command.
    """

    service: str
    label: str
    command: str


@frozen
class BackupRequest:
    """The backup that the labels of a stack ask for.

    * `paths`: maps each volume, by its name in the recipe, to the paths to back up; to () for the whole volume.
    * `hooks`: the commands to run before and after.
    * `ignored`: labels of an old version of backupbot, which Canon ignores, as "SERVICE: LABEL".
    """

    paths: Mapping[str, tuple[str, ...]]
    hooks: tuple[BackupHook, ...]
    ignored: tuple[str, ...] = ()

    def of(self, label: str) -> tuple[BackupHook, ...]:
        return tuple(hook for hook in self.hooks if hook.label == label)

    @property
    def whole(self) -> frozenset[str]:
        return frozenset(volume for volume, paths in self.paths.items() if not paths)


def parse_labels(labels: Mapping[str, Mapping[str, str]], volumes: Sequence[str]) -> BackupRequest | None:
    """Return the backup that the labels of all services ask for; None if no service asks for one.

    * `labels`: maps services to their labels.
    * `volumes`: the stack's volumes, by their names in the recipe.

    If a service asks for a backup, all volumes are backed up, except the volumes that a label leaves out. The labels of
    all services then count, also of services that do not ask for a backup. Raise RecipeError if a label names a volume
    that is not in `volumes`.
    """
    if not any(own.get(_WANTED, "").lower() == "true" for own in labels.values()):
        return None
    paths: dict[str, tuple[str, ...]] = dict.fromkeys(volumes, ())
    for volume, of, value in _volume_labels(labels):
        if of:
            paths[volume] = tuple(part.strip().lstrip("/") for part in value.split(",") if part.strip())
        elif value.lower() == "false":
            paths.pop(volume, None)
    unknown = sorted({*paths} - {*volumes})
    if unknown:
        raise RecipeError(f"a backupbot label names the volume {unknown[0]}, which the stack does not have")
    hooks = tuple(_hooks(labels))
    ignored = tuple(f"{service}: {_OLD}" for service, own in labels.items() if _OLD in own)
    return BackupRequest(paths, hooks, ignored)


def _volume_labels(labels: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, bool, str]]:
    """Yield (volume, has_paths, value) for each label about a volume. `labels` maps services to their labels.

    * If `has_paths` is True, the label says what to back up of the volume: `value` has paths with commas between.
    * If `has_paths` is False, the label leaves the volume out if `value` is "false", and does nothing if not.

    Labels with paths come first. The caller lets a later label override an earlier one, so a volume with both labels is
    left out.
    """
    entries = [
        (match, value)
        for _, own in sorted(labels.items())
        for name, value in own.items()
        if (match := _VOLUME.fullmatch(name))
    ]
    for match, value in sorted(entries, key=lambda each: each[0][2] is None):
        yield match[1], match[2] is not None, value


def _hooks(labels: Mapping[str, Mapping[str, str]]) -> Iterator[BackupHook]:
    for service, own in sorted(labels.items()):
        for verb in ("backup", "restore"):
            for when in ("pre-hook", "post-hook"):
                command = own.get(f"backupbot.{verb}.{when}")
                if command:
                    yield BackupHook(service, f"{verb}.{when}", command)


def labels_of(services: Sequence[Json], stack: Stack) -> dict[str, Mapping[str, str]]:
    return {stack.logical(service["Spec"]["Name"]): service["Spec"].get("Labels") or {} for service in services}


def services_mounting(services: Sequence[Json], stack: Stack, volumes: frozenset[str]) -> tuple[str, ...]:
    """Return the full names of the services that mount one of `volumes`, which are names in the recipe."""
    full = {f"{stack.name}_{volume}" for volume in volumes}
    return tuple(service["Spec"]["Name"] for service in services if full & volumes_in(service))
