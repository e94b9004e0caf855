"""`reconcile accept` and `reconcile forget`: decisions of a person. The ledger records who decided, and why."""

import os
from pathlib import Path

from attrs import evolve

from desired.releases import Unobservable
from reconciler.cli.command_context import CommandContext, load_context, pass_lock, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.decisions import author, require_reason
from reconciler.cli.options import Options, print_line
from reconciler.core.blocker import Change
from reconciler.core.explanation import Family
from reconciler.core.observation import Observation, moved_tags, vanished_tags
from reconciler.core.report import ReportCommand
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import InfrastructureError, NeedsPersonError, UsageError
from reconciler.ports.host import Host
from reconciler.promotion.generations import delete_all
from reconciler.promotion.running_canonical import forget_deployment, is_managed
from reconciler.stages.explaining import explain_observation
from reconciler.stages.observe import observe
from reconciler.stages.planning import RunRequest
from state.folder.lock import hold
from state.folder.logs import drop_logs
from state.records import KnownTag, LedgerEntry, Memory


def accept(options: Options, name: str, tag: str | None, reason: str) -> int:
    """Accept that the tag `tag` moved to another commit. If `tag` is None, accept that upstream lost release tags.

    The answer also says what still needs a person afterwards, and how to end that. The ledger records `reason`. Return
    0, or 1 if stdout cannot be written. Raise NeedsPersonError if there is nothing to accept. Raise InfrastructureError
    if upstream cannot be read. Raise UsageError if the recipe `name` is not declared, or if `reason` is blank.
    """
    context = load_context(options)
    require_declared(context, name)
    require_reason(reason)
    with (
        interruptible(),
        private_files(),
        pass_lock(context, f"accept {name}") as lock,
        progress_on_stderr(options) as progress,
    ):
        host = make_host(context, progress, lock.descriptor)
        observation = observe(host, context.fleet, [name], host.registry.read()).observations[name]
        if isinstance(observation.answer, Unobservable):
            raise InfrastructureError(f"{name}: upstream cannot be seen: {observation.answer.reason}")
        memory, message = (
            _accept_moved_tag(host, observation, tag) if tag is not None else _accept_lost_tags(observation)
        )
        left = _left_for_person(host, context, evolve(observation, memory=memory))
        body = {"tag": tag, "reason": reason, "who": author(), "said": message}
        host.registry.remember([memory], [LedgerEntry(host.clock.now(), "accepted", name, body)])
    return print_line(options, "accept", f"{name}: {message}{left}")


def _accept_moved_tag(host: Host, observation: Observation, tag: str) -> tuple[Memory, str]:
    """Return two values: the recipe's memory with the new commit of `tag`, and a message for the user.

    Nothing is recorded yet. Raise NeedsPersonError if the tag did not move.
    """
    moved = moved_tags(observation)
    if tag not in moved:
        others = f"moved are: {', '.join(sorted(moved))}" if moved else "none of its known release tags moved"
        raise NeedsPersonError(f"{observation.recipe.name}: tag {tag} did not move", others)
    before, after = moved[tag]
    known = {**observation.memory.known, tag: KnownTag(after, host.clock.now())}
    return evolve(observation.memory, known=known), f"accepted: {tag} names {after[:7]} and no longer {before[:7]}"


def _accept_lost_tags(observation: Observation) -> tuple[Memory, str]:
    """Return two values: the recipe's memory without the tags that upstream lost, and a message for the user.

    Nothing is recorded yet. Raise NeedsPersonError if upstream lost no tag.
    """
    gone = vanished_tags(observation)
    if not gone:
        message = f"{observation.recipe.name}: upstream lost no known release tag"
        raise NeedsPersonError(message, "to accept a moved tag, name it")
    known = {tag: known_tag for tag, known_tag in observation.memory.known.items() if tag not in gone}
    tags = "tag is" if len(gone) == 1 else "tags are"
    message = f"accepted: {len(gone)} release {tags} gone: {', '.join(sorted(gone))}"
    return evolve(observation.memory, known=known), message


def _left_for_person(host: Host, context: CommandContext, accepted: Observation) -> str:
    """Return a text on what still needs a person, and how to end that; "" if nothing does.

    `accepted` is the observation with the memory as it is after the decision. Upstream is not asked again. The text
    begins with "; ".
    """
    request = RunRequest(context.fleet, (accepted.recipe.name,), ReportCommand.PLAN)
    explained = explain_observation(host, request, accepted)
    if explained.family is not Family.NEEDS_YOU:
        return ""
    ends = [_change_text(each.any_of[0]) for each in explained.blockers if each.needs_person]
    ending = f"; to end that: {'; and '.join(ends)}" if ends else ""
    return f"; it still needs you: {explained.verdict}{ending}; all ways: reconcile explain {explained.recipe}"


def _change_text(change: Change) -> str:
    return f"{change.fact}: {change.command}" if change.command else change.fact


def forget(options: Options, name: str, reason: str) -> int:
    """Delete the records, snapshots, mirror and logs of the recipe `name`, which is no longer declared.

    The ledger records `reason`. Return 0, or 1 if stdout cannot be written. Raise UsageError if the recipe is still
    declared, if nothing is recorded of it, or if `reason` is blank.
    """
    context = load_context(options)
    require_reason(reason)
    if name in context.fleet.recipes:
        raise UsageError(f"{name} is declared", f"remove recipes/{name} from the fleet first")
    with (
        interruptible(),
        private_files(),
        hold(_existing_lock(context, name), f"forget {name}") as lock,
        progress_on_stderr(options) as progress,
    ):
        host = make_host(context, progress, lock.descriptor)
        message = _forget_orphan(host, name, reason)
    return print_line(options, "forget", f"{name}: {message}")


def _drivers_to_clean_up(host: Host, name: str) -> frozenset[str]:
    """Return the names of the drivers that are needed to clear the recipe's working folder and kept deployment.

    * If the recipe has neither of the two, return only "process".
    * If drivers are recorded for its slots, return these drivers, and "process".
    * If no driver is recorded, although there is something to clear, return all drivers of `host`.
    """
    state = host.state
    if not any(map(os.path.lexists, (state.slot(name), state.kept_slot(name), state.deployment_record_path(name)))):
        return frozenset({"process"})
    drivers = state.drivers_in_use(name)
    return drivers | {"process"} if drivers else frozenset(host.drivers)


def _existing_lock(context: CommandContext, name: str) -> Path:
    """Return the path of the pass lock.

    Raise UsageError if the state folder has no registry: then nothing is recorded of the recipe `name`.
    """
    if not context.state.database.exists():
        raise UsageError(f"nothing is recorded of {name}: there is no registry in {context.state.root}")
    return context.state.lock


def _forget_orphan(host: Host, name: str, reason: str) -> str:
    """Delete everything of the recipe `name`. Return a message for the user. The ledger gets the `reason`.

    Raise UsageError if nothing is recorded of the recipe, BusyError if its working folder is in use.
    """
    records = host.registry.read()
    have = records.canonicals.get(name)
    if have is None and name not in records.memories and name not in records.unreadable:
        raise UsageError(f"nothing is recorded of {name}")
    host = host.with_drivers(_drivers_to_clean_up(host, name))
    with lock_slot(host, name, f"forget {name}"):
        body = {
            "reason": reason,
            "who": author(),
            "version": have.version if have else None,
            "lineage": list(have.lineage) if have else [],
        }
        # The record is deleted last, so that an interrupted `forget` can be run again.
        if is_managed(host, name):
            forget_deployment(host, name)
        delete_all(host, name)
        drop_logs(host.state.trial_logs(name))
        host.mirrors.drop(name)
        host.registry.forget(name, [LedgerEntry(host.clock.now(), "forgotten", name, body)])
    message = f"forgotten, with its canonical {have.version}" if have else "forgotten; it had no canonical"
    return message + _folders_left(host, name)


def _folders_left(host: Host, name: str) -> str:
    """Return a text that names the folders of the recipe `name` that still exist; "" if there are none.

    A folder is not deleted if there are files in it that Canon did not make.
    """
    folders = (host.state.kept_slot(name), host.state.generations(name), host.state.trial_logs(name))
    left = [str(folder) for folder in folders if os.path.lexists(folder)]
    return f"; left as it is: {', '.join(left)}" if left else ""
