"""`reconcile trial`: tests one release, branch or commit by hand."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

from desired.model import Recipe, Release, TierName, Unobservable, WayName
from desired.want import releases
from reconciler.cli.command_context import CommandContext, load_context, prepare_state, require_declared
from reconciler.cli.composition import interruptible, make_host, private_files, progress_on_stderr
from reconciler.cli.decisions import author
from reconciler.cli.named_lists import read_tiers, read_ways
from reconciler.cli.options import Options, stdout_screen
from reconciler.cli.standard_streams import print_answer, print_error, report_code_after_failure
from reconciler.core.findings import MirrorState, mirror_state
from reconciler.core.gate import gate, is_about_way, is_closed_way, refusals, unheld
from reconciler.core.holds import hold_in_effect
from reconciler.core.observation import Observation, tags_to_mirror, upstream_tags
from reconciler.core.report import ReportCommand, Run
from reconciler.core.tier_results import Verdict, first_failure, is_green
from reconciler.core.wanted_release import want_of
from reconciler.core.ways import GatingWays
from reconciler.deploy.app_set import drivers_of, make_app_set
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import InfrastructureError, UsageError, reason_of
from reconciler.ports.host import Host
from reconciler.promotion.evidence import trial_entry
from reconciler.promotion.undeploy_conflicts import without_conflicts
from reconciler.show.documents.command_documents import Tested, trial_document
from reconciler.show.documents.junit import junit
from reconciler.show.documents.report_document import json_text
from reconciler.show.text.trial_card import render_trial
from reconciler.stages.converge import need_releases, trial_request
from reconciler.stages.mirror import update_notes
from reconciler.stages.observe import observe, require_readable_record
from reconciler.stages.signatures import refused_signature, with_signatures
from reconciler.stages.ways_of_candidate import try_ways_of_candidate
from reconciler.stages.ways_of_canonicals import record_way
from reconciler.trial.trial import run_trial
from state.folder.lock import hold
from state.records import Answer, Records
from state.state_errors import LockHeldError

NAMED_RELEASES = 3


@frozen
class TrialOptions:
    """The options of `reconcile trial`. `ref` names a release, branch or commit; `junit` is the JUnit file to write.

    `tiers` and `ways` are lists, separated by commas. None means: for `ref` the newest release, for `tiers` all tiers,
    for `junit` no file, for `ways` none.
    """

    ref: str | None
    tiers: str | None
    junit: str | None
    ways: str | None = None


@frozen
class Asked:
    """What a trial by hand is asked to do: which release, branch or commit to test, and which tiers and ways to run.

    `ref` is None for the newest release.
    """

    ref: str | None
    tiers: frozenset[TierName]
    ways: tuple[WayName, ...]


def trial(options: Options, name: str, trial_options: TrialOptions) -> int:
    """Run one trial of the recipe `name` and print its result. Return 0 if green, 4 if red, 1 for a fault of the host.

    If a way that is a gate is closed, return 4, and 1 if it could not be proved. Nothing is promoted, and a red result
    does not keep later passes from trying the release.
    """
    context = load_context(options)
    require_declared(context, name)
    asked = Asked(trial_options.ref, read_tiers(trial_options.tiers), read_ways(trial_options.ways))
    with interruptible(), private_files(), progress_on_stderr(options) as progress:
        prepare_state(context.state)
        host = make_host(context, progress)
        started_at = host.clock.now()
        tested = _run(host, context, name, asked)
    run = Run(ReportCommand.TRIAL, host.pass_id, started_at, host.clock.now(), host.place, host.canon, host.fleet)
    return _print_trial(context, trial_options.junit, tested, run)


def _run(host: Host, context: CommandContext, name: str, asked: Asked) -> Tested:
    """Run the trial of the recipe `name`; if it is green, also try the ways of its release.

    The ledger gets the trial and each way as soon as it is done. Return the trial, the results of the ways and the
    conditions of a promotion. Raise CanonError if the trial cannot be run.
    """
    records, recipe = host.registry.read(), context.fleet.recipes[name]
    observations = _observe(host, context, name, records)
    observation = observations[name]
    release = _release_to_try(host, observation, asked.ref)
    app_set = make_app_set(recipe, release, context.fleet.recipes, need_releases(records.canonicals, observations))
    trial_host = host.with_drivers(drivers_of(app_set) | context.state.drivers_of_slot(name))
    with (
        without_conflicts(host, context.fleet, recipe),
        lock_slot(trial_host, name, f"trial {release.version}") as folder,
    ):
        request = trial_request(host, observation, release, app_set, folder)
        done = run_trial(trial_host, evolve(request, by_pass=False, tiers=asked.tiers))
        host.registry.append([trial_entry(host, done, "by hand", author())])
        ways, base = [], request.base.release if request.base.release != release else None
        for result in try_ways_of_candidate(trial_host, request, done, _ways(recipe, asked), base):
            record_way(host, result, who=author())
            ways.append(result)
    hold = hold_in_effect(observation.hold, host.clock.now().date())
    done = evolve(done, ways=GatingWays(ways, nothing_older=base is None))
    conditions = gate(context.fleet, recipe, done, observation.answer, host.place) + unheld(hold)
    return Tested(done, conditions, observation.canonical, observation.status, tuple(ways))


def _ways(recipe: Recipe, asked: Asked) -> tuple[WayName, ...]:
    """Return the ways to try: those that are asked for, and those on which a promotion depends."""
    return tuple(way for way in WayName if way in {*asked.ways, *recipe.ways.gates})


def _observe(host: Host, context: CommandContext, name: str, records: Records) -> Mapping[str, Observation]:
    """Observe the recipe `name` and the recipes that it needs, and update their mirrors.

    Return the observations by recipe. Raise CanonError if the record of `name` cannot be read.
    """
    require_readable_record(name, records)
    names = sorted({name, *context.fleet.recipes[name].install.needs})
    observations = observe(host, context.fleet, names, records).observations
    for observation in observations.values():
        _update_mirror(host, context, observation)
    return {each: with_signatures(host, observation) for each, observation in observations.items()}


def _update_mirror(host: Host, context: CommandContext, observation: Observation) -> None:
    """Update the mirror of a recipe if upstream has something that the mirror lacks.

    If another process holds the pass lock, leave the mirror as it is and say so in the progress.
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


def _release_to_try(host: Host, observation: Observation, ref: str | None) -> Release:
    """Return the release, branch or commit that `ref` names. Return the newest release if `ref` is None.

    Raise InfrastructureError if there is no newest release, or if it has to be signed and is not, and UsageError if
    nothing is named `ref`. What a person names is not checked.
    """
    name = observation.recipe.name
    if ref is None:
        want = want_of(observation)
        if not isinstance(want, Release):
            reason = want.reason if isinstance(want, Unobservable) else "it has no single newest release"
            raise InfrastructureError(f"{name}: nothing to try: {reason}", "name what to try: --ref REF")
        if fault := refused_signature(host, observation, want):
            raise InfrastructureError(
                f"{name}: nothing to try: {want.version} is unsigned: {fault}",
                f"to try it all the same: --ref {want.version}",
            )
        return want
    commit = host.mirrors.resolve(name, ref) or host.mirrors.fetch(observation.recipe, ref)
    if commit is None:
        raise UsageError(
            f"{name}: neither a release nor a branch nor a commit is named {ref}", _suggestion(observation, ref)
        )
    return Release(ref, commit)


def _suggestion(observation: Observation, ref: str) -> str:
    """Return a hint for a `ref` that does not exist: the tag with the most similar name, else the newest releases."""
    import difflib

    tags = upstream_tags(observation) or {}
    near = difflib.get_close_matches(ref, tags, 1)
    if near:
        return f"did you mean {near[0]}"
    newest = [release.version for release in releases(tags, "*")][: -NAMED_RELEASES - 1 : -1]
    return f"newest releases are: {', '.join(newest)}" if newest else "upstream has no release; name a branch, as main"


def _code_of(tested: Tested) -> int:
    """Return 0 for a green trial, 4 for a red one or a closed way that is a gate, 1 for what could not be judged."""
    failed_tier = first_failure(tested.trial.tiers)
    if failed_tier is not None:
        return 1 if failed_tier.verdict is Verdict.ERROR else 4
    unmet = [each for each in refusals(tested.conditions) if is_about_way(each)]
    if not unmet or not is_green(tested.trial.tiers):
        return 0
    return 4 if any(is_closed_way(each) for each in unmet) else 1


def _print_trial(context: CommandContext, junit_path: str | None, tested: Tested, run: Run) -> int:
    """Print the trial, and write the JUnit file unless `junit_path` is None.

    Return the exit code of the trial. If the file cannot be written, print the reason to stderr, and return 1: stdout
    has its answer already.
    """
    code = _code_of(tested)
    if context.options.json:
        code = print_answer(json_text(trial_document(run, tested, code)), code)
    else:
        screen = stdout_screen(context.options)
        text = render_trial(tested.trial, tested.conditions, screen, state=str(context.state.root), ways=tested.ways)
        code = print_answer(text, code)
    if junit_path is None:
        return code
    try:
        Path(junit_path).write_text(junit(tested.trial, tested.ways, tested.conditions), encoding="utf-8")
    except OSError as error:
        print_error(f"reconcile: {reason_of(error)}\n")
        return report_code_after_failure(code)
    return code
