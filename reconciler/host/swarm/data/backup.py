"""Takes and restores a backup of an app, as the backupbot labels of its recipe ask for it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from reconciler.errors import RecipeError, TimedOutError, killed_error
from reconciler.host import app_directory
from reconciler.host.swarm.data.backup_labels import (
    BackupHook,
    BackupRequest,
    labels_of,
    parse_labels,
    services_mounting,
)
from reconciler.host.swarm.data.volumes import load_paths, save_paths, volumes_of
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.host.swarm.services import scaling
from reconciler.host.swarm.services.stack_state import StackState, read_stack, running_containers
from reconciler.host.text import last_words, lines_printable, one_line
from reconciler.ports.app import App
from reconciler.redact import read_slot_secrets, redaction

_HOOK_SECONDS = 1800.0


@frozen
class BackupTarget:
    """An app, its deployed stack, and the engine on which the stack runs."""

    engine: Engine
    stack: Stack
    app: App


def has_backup_label(target: BackupTarget) -> bool:
    """Return whether a label of the stack asks for a backup. This works even while the app is stopped."""
    return _request(target, read_stack(target.engine, target.stack)) is not None


def take_backup(target: BackupTarget, into: Path) -> tuple[str, ...]:
    """Write a backup of the app into the folder `into`, while the app stays up.

    Return a remark for each label that is ignored; () if there is none. Raise RecipeError if a hook fails or the labels
    are wrong, TimedOutError if a hook takes too long.
    """
    request = _required_request(target, read_stack(target.engine, target.stack))
    _run_hooks(target, request.of("backup.pre-hook"))
    save_paths(target.engine, target.stack, request.paths, into)
    _run_hooks(target, request.of("backup.post-hook"))
    return tuple(f"the label {label} is of version 1, and ignored" for label in request.ignored)


def restore_backup(target: BackupTarget, source: Path, within: timedelta) -> None:
    """Restore the backup in the folder `source`, in six steps.

    1. Run the pre-hooks.
    2. Stop the services. A service with restore hooks is stopped only if one of its volumes is restored as a whole.
    3. Replace the data.
    4. Start the services with restore hooks again, and wait at most `within` until they are up.
    5. Run the post-hooks.
    6. Start the other services again, and do not wait for them.

    Raise RecipeError if a hook fails or the labels are wrong, TimedOutError if a hook or a service takes too long,
    KilledError if a service had to be killed, and InfrastructureError for a fault of the host.
    """
    engine, stack = target.engine, target.stack
    stack_state = read_stack(engine, stack)
    request = _required_request(target, stack_state)
    _run_hooks(target, request.of("restore.pre-hook"))
    hooked = {f"{stack.name}_{hook.service}" for hook in request.hooks if hook.label.startswith("restore.")}
    replaced = hooked & {*services_mounting(stack_state.services, stack, request.whole)}
    stopped = [name for name in scaling.service_names(stack_state) if name not in hooked or name in replaced]
    counts, global_names = scaling.replica_counts(stack_state, stopped), scaling.global_services(stack_state, stopped)
    if killed := scaling.stop_services(engine, stack, (*counts, *global_names)).killed:
        raise killed_error(stack.recipe, killed)
    load_paths(engine, stack, request.paths, source)
    _start_again(engine, counts, global_names, replaced)
    scaling.wait_until_up(engine, stack, hooked, within)
    _run_hooks(target, request.of("restore.post-hook"))
    _start_again(engine, counts, global_names, {*stopped} - replaced)


def _start_again(
    engine: Engine, counts: Mapping[str, int], global_names: Sequence[str], names: Collection[str]
) -> None:
    scaling.scale_services(engine, {name: count for name, count in counts.items() if name in names})
    scaling.allow_on_nodes(engine, [name for name in global_names if name in names])


def _required_request(target: BackupTarget, stack_state: StackState) -> BackupRequest:
    request = _request(target, stack_state)
    if request is None:
        raise RecipeError(f"{target.stack.recipe}: no label asks for a backup any more")
    return request


def _request(target: BackupTarget, stack_state: StackState) -> BackupRequest | None:
    stack = target.stack
    volumes = [stack.logical(name) for name in volumes_of(target.engine, stack)]
    return parse_labels(labels_of(stack_state.services, stack), volumes)


def _run_hooks(target: BackupTarget, hooks: Sequence[BackupHook]) -> None:
    """Run the commands `hooks` in order. Write the output of each to a log of the app, with secrets masked.

    Raise RecipeError if a hook fails or its service does not run here, TimedOutError if a hook takes longer than half
    an hour (_HOOK_SECONDS).
    """
    for hook in hooks:
        containers = running_containers(target.engine, f"{target.stack.name}_{hook.service}")
        if not containers:
            raise RecipeError(f"{hook.label}: nothing of {hook.service} runs here")
        code, output = target.engine.execute(containers[0], hook.command, _HOOK_SECONDS)
        output = redaction(read_slot_secrets(Path(target.stack.mark))).apply(output)
        _log(target.app, hook, output)
        if code != 0:
            raise _failure(hook, code, output)


def _log(app: App, hook: BackupHook, output: bytes) -> None:
    log = app_directory.new_log(app, f"{hook.service} {hook.label}")
    log.feed(output)
    log.close()


def _failure(hook: BackupHook, code: int | None, output: bytes) -> RecipeError:
    what = f"{hook.label} of {hook.service} ({one_line(hook.command.encode(), 80)})"
    kind, how = (TimedOutError, "was not done in time") if code is None else (RecipeError, f"exited {code}")
    return kind(f"{what} {how}: {last_words(output)}", tail=tuple(lines_printable(output).splitlines()))
