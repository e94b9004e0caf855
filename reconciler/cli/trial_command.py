"""`reconcile trial`: tests one release, branch or commit by hand."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from attrs import evolve, frozen

from desired.model import Fleet, Recipe, TierName, WayName
from desired.releases import Unobservable
from reconciler.cli.command_context import CommandContext, load_context, prepare_state, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.decisions import author
from reconciler.cli.named_lists import read_tiers, read_ways
from reconciler.cli.options import Options
from reconciler.cli.release_to_try import release_to_try, require_ref_name
from reconciler.cli.trial_answer import print_trial, require_junit_path
from reconciler.cli.waiting import Waiting, read_wait, when_free
from reconciler.core.findings import MirrorState, mirror_state
from reconciler.core.gate import gate, unheld
from reconciler.core.holds import hold_in_effect
from reconciler.core.needs import apps_of
from reconciler.core.observation import Observation, tags_to_mirror
from reconciler.core.report import ReportCommand, Run
from reconciler.core.wanted_release import need_releases, want_of
from reconciler.core.ways import GatingWays, older_release
from reconciler.deploy.app_set import drivers_of, make_app_set
from reconciler.deploy.slot_lock import lock_slot
from reconciler.ports.host import Host
from reconciler.promotion.evidence import trial_entry
from reconciler.promotion.undeploy_conflicts import NotUp, without_conflicts
from reconciler.show.documents.command_documents import Tested
from reconciler.stages.converge import trial_request
from reconciler.stages.mirror import update_notes
from reconciler.stages.observe import observe, require_readable_record
from reconciler.stages.older_data import older_data_of_candidate
from reconciler.stages.signatures import with_signatures
from reconciler.stages.ways_of_candidate import try_ways_of_candidate
from reconciler.stages.ways_of_canonicals import record_way
from reconciler.stages.ways_to_try import deployable
from reconciler.trial.trial import run_trial
from reconciler.trial.trial_request import TrialRequest
from state.folder.lock import hold
from state.records import Answer, Records
from state.state_errors import LockHeldError


@frozen
class TrialOptions:
    """The options of `reconcile trial` as they were given. An option that was not given is None.

    * `ref`: what to test; None for the newest release.
    * `tiers`: the tiers to run, separated by commas; None for all.
    * `junit`: the file to write as JUnit XML; None for no file.
    * `ways`: the ways to try, separated by commas; None for none.
    * `wait`: how long to wait while the recipe's working folder is in use, such as "30m"; None for not at all.
    """

    ref: str | None
    tiers: str | None
    junit: str | None
    ways: str | None = None
    wait: str | None = None


@frozen
class Asked:
    """What a trial by hand is to do.

    * `ref`: the release, branch or commit to test; None for the newest release.
    * `tiers`, `ways`: the tiers to run, and the ways to try after them.
    * `wait`: how long to wait while another process uses the recipe's working folder.
    """

    ref: str | None
    tiers: frozenset[TierName]
    ways: tuple[WayName, ...]
    wait: timedelta = timedelta()


def trial(options: Options, name: str, trial_options: TrialOptions) -> int:
    """Run one trial of the recipe `name`, and print its result. Return the exit code.

    * 0: neither 4 nor 1 applies.
    * 4: the trial is red, or a way on which a promotion depends has the answer NO.
    * 1: this host is at fault, or a way on which a promotion depends could not be proved.
    * 3: the trial is green, but a kept deployment that was undeployed meanwhile is not up again.

    Nothing is promoted. A red result does not keep later passes from trying the release. Raise UsageError before the
    trial if an option is not valid, or if its file cannot be written.
    """
    context = load_context(options)
    require_declared(context, name)
    asked, junit_path = _read(trial_options), require_junit_path(trial_options.junit)
    with interruptible(), private_files(), progress_on_stderr(options) as progress:
        prepare_state(context)
        first = make_host(context, progress)
        started_at = first.clock.now()
        entering = when_free(
            first,
            Waiting(name, asked.wait),
            lambda: _ready(first, context, name, asked),
            lambda: _ready_anew(first, options, name, asked),
        )
        tested, host = _tested(entering, asked)
    run = Run(ReportCommand.TRIAL, host.pass_id, started_at, host.clock.now(), host.place, host.canon, host.fleet)
    return print_trial(context, junit_path, tested, run)


def _read(options: TrialOptions) -> Asked:
    """Return what the options of `reconcile trial` ask for. Raise UsageError if one of them is not valid."""
    require_ref_name(options.ref)
    return Asked(options.ref, read_tiers(options.tiers), read_ways(options.ways), read_wait(options.wait))


@frozen
class ReadyTrial:
    """A trial that can start, since the recipe's working folder is locked.

    * `host`: the host, with all drivers.
    * `trial_host`: the same host, with only the drivers that the trial needs.
    * `fleet`: the declarations.
    * `observation`: what was observed of the recipe.
    * `request`: what the trial is to do.
    * `not_up`: after the trial, the kept deployments that were undeployed for it and are not up again.
    """

    host: Host
    trial_host: Host
    fleet: Fleet
    observation: Observation
    request: TrialRequest
    not_up: NotUp


def _tested(entering: AbstractContextManager[ReadyTrial], asked: Asked) -> tuple[Tested, Host]:
    """Enter the context, run the trial that it yields, and leave it. Return the results, and the host of the trial.

    The results have the kept deployments that are not up after the context was left.
    """
    with entering as ready:
        tested = _run(ready, asked)
    return evolve(tested, not_up=ready.not_up), ready.host


def _run(ready: ReadyTrial, asked: Asked) -> Tested:
    """Run the trial `ready`. If it is green, also try the ways that `asked` names or a promotion depends on.

    Return all results. The trial and each way are recorded in the ledger as soon as they have ended. Raise CanonError
    if the trial cannot be run.
    """
    host, fleet, observation, request = ready.host, ready.fleet, ready.observation, ready.request
    recipe = observation.recipe
    done = run_trial(ready.trial_host, evolve(request, by_pass=False, tiers=asked.tiers))
    host.registry.append([trial_entry(host, done, "by hand", author())])
    ways, asked_ways = [], _ways(recipe, asked)
    # The same as in a pass. Its tag may not be remembered yet: a trial by hand remembers nothing.
    older = older_release(request.release, request.base.release, tags_to_mirror(observation))
    base, no_base = deployable(host, observation, older) if WayName.BACK in asked_ways else (older, "")
    data = older_data_of_candidate(ready.trial_host, fleet, observation, request, asked_ways)
    for result in try_ways_of_candidate(ready.trial_host, request, done, asked_ways, base, data, no_base):
        record_way(host, result, who=author())
        ways.append(result)
    hold = hold_in_effect(observation.hold, host.clock.now().date())
    done = evolve(done, ways=GatingWays(ways, nothing_older=older is None))
    conditions = gate(fleet, recipe, done, observation.answer, host.place) + unheld(hold)
    return Tested(done, conditions, observation.canonical, observation.status, tuple(ways))


def _ready_anew(first: Host, options: Options, name: str, asked: Asked) -> AbstractContextManager[ReadyTrial]:
    """Read the declarations again. Return a context manager that yields the trial once its working folder is locked.

    A new host is made for the declarations as they are now, with the progress and the pass id of the host `first`.
    Raise DeclarationError if the declarations cannot be read, UsageError if the recipe `name` is no longer declared.
    """
    context = load_context(options)
    require_declared(context, name)
    host = evolve(make_host(context, first.progress), pass_id=first.pass_id)
    return _ready(host, context, name, asked)


@contextmanager
def _ready(host: Host, context: CommandContext, name: str, asked: Asked) -> Iterator[ReadyTrial]:
    """Observe the recipe `name`, find the release that `asked` means, lock its working folder, and yield the trial.

    The working folder is unlocked and removed at the end of the `with` block. Raise BusyError if another process holds
    a lock that the trial needs. Raise CanonError if the trial cannot be run.
    """
    records, recipe = host.registry.read(), context.fleet.recipes[name]
    observations = _observe(host, context, name, records)
    observation = observations[name]
    release = release_to_try(host, observation, asked.ref)
    app_set = make_app_set(recipe, release, context.fleet.recipes, need_releases(records.canonicals, observations))
    trial_host = host.with_drivers(drivers_of(app_set) | context.state.drivers_of_slot(name))
    with (
        without_conflicts(host, context.fleet, recipe) as not_up,
        lock_slot(trial_host, name, f"trial {release.version}") as folder,
    ):
        request = trial_request(host, observation, release, app_set, folder)
        yield ReadyTrial(host, trial_host, context.fleet, observation, request, not_up)


def _ways(recipe: Recipe, asked: Asked) -> tuple[WayName, ...]:
    """Return the ways to try: those that were asked for, and those that the recipe names in `[ways] gates`."""
    return tuple(way for way in WayName if way in {*asked.ways, *recipe.ways.gates})


def _observe(host: Host, context: CommandContext, name: str, records: Records) -> Mapping[str, Observation]:
    """Observe the recipe `name`, the recipes that it needs, and so on. Update their mirrors. Return the observations.

    Raise CanonError if the record of `name` cannot be read.
    """
    require_readable_record(name, records)
    names = sorted(apps_of(context.fleet.recipes[name], context.fleet.recipes))
    observations = observe(host, context.fleet, names, records).observations
    for observation in observations.values():
        _update_mirror(host, context, observation)
    return {each: with_signatures(host, observation) for each, observation in observations.items()}


def _update_mirror(host: Host, context: CommandContext, observation: Observation) -> None:
    """Update the mirror of a recipe if upstream has something that the mirror lacks.

    If another process holds the pass lock, leave the mirror as it is, and say so in the progress.
    """
    if not isinstance(observation.answer, Answer) or mirror_state(observation) is MirrorState.EQUAL:
        return
    if isinstance(want_of(observation), Unobservable):
        return
    try:
        with hold(context.state.lock, f"trial {observation.recipe.name}"):
            updated = host.mirrors.update(observation.recipe, observation.answer, tags_to_mirror(observation))
        for remark in update_notes(observation.recipe.name, updated):
            host.progress.step(observation.recipe.name, remark)
    except LockHeldError as held:
        host.progress.step(observation.recipe.name, f"the mirror stays as it is: {held}")
