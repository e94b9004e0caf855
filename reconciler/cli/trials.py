"""A trial by hand, and a raised copy of a canonical."""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from desired.declarations.problems import RefusedError
from desired.declarations.values import read_duration
from desired.model import Release, TierName, Unobservable
from desired.want import releases
from reconciler.cli.composition import (
    CommandContext,
    make_host,
    open_house,
    prepare_state,
    private_files,
    require,
    stoppable,
    watcher,
)
from reconciler.cli.failures import UsageError
from reconciler.cli.options import Options, columns
from reconciler.cli.standard_streams import answer, write_answer
from reconciler.core.findings import MirrorState, mirror_state
from reconciler.core.gate import gate
from reconciler.core.observation import Observation, tags_to_mirror, upstream_tags, want_of
from reconciler.core.report import ReportCommand, Run
from reconciler.core.tier_results import Verdict, first_failure
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import apps_of, drivers_of, make_app_set, snapshot_app_set
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.slot import Slot
from reconciler.deploy.slot_lifetime import open_slot
from reconciler.deploy.slot_lock import lock_slot
from reconciler.errors import CanonError, InfrastructureError, InterruptedPassError
from reconciler.ports.app import RunningApp
from reconciler.ports.host import Host
from reconciler.promotion.evidence import trial_entry
from reconciler.promotion.undeploy_conflicts import without_conflicts
from reconciler.show.documents.answers import Tested, raised_document, trial_document
from reconciler.show.documents.junit import junit
from reconciler.show.documents.report_document import write
from reconciler.show.text.progress import SilentProgress
from reconciler.show.text.raised import render_raised
from reconciler.show.text.screen import screen_for
from reconciler.show.text.trial_card import render_trial
from reconciler.stages.converge import base_for, trial_id
from reconciler.stages.mirror import update_notes
from reconciler.stages.observe import observe, unreadable_record_message
from reconciler.trial.trial import run_trial
from reconciler.trial.trial_request import TrialRequest
from state.folder.lock import hold
from state.records import Answer, Records
from state.state_errors import LockHeldError

NAMED_RELEASES = 3


@frozen
class TrialOptions:
    """What a hand-run trial is to be of; None means the newest release, and all tiers."""

    ref: str | None
    tiers: str | None
    junit: str | None


# ---- a trial ----


def trial(options: Options, name: str, wish: TrialOptions) -> int:
    """Try once, tell, and leave; nothing is promoted and no red remembered."""
    house = open_house(options)
    require(house, name)
    tiers = _tiers(wish.tiers)
    with stoppable(), private_files(), watcher(options) as watching:
        prepare_state(house.state)
        host = make_host(house, watching)
        started_at = host.clock.now()
        tested = _try(host, house, name, wish, tiers)
        host.registry.append([trial_entry(host, tested.trial, "by hand")])
    run = Run(ReportCommand.TRIAL, host.pass_id, started_at, host.clock.now(), host.place, host.canon, host.fleet)
    return _answer(house, wish, tested, run)


def _tiers(text: str | None) -> frozenset[TierName]:
    """Install is always among them, since every other tier rests on it."""
    if text is None:
        return frozenset(TierName)
    names = [each.strip() for each in text.split(",")]
    wrong = [name for name in names if name not in set(TierName)]
    if wrong:
        raise UsageError(f"no tier {wrong[0]}", f"there are: {', '.join(TierName)}")
    return frozenset({TierName.INSTALL, *map(TierName, names)})


def _try(host: Host, house: CommandContext, name: str, wish: TrialOptions, tiers: frozenset[TierName]) -> Tested:
    records = host.registry.read()
    recipe = house.fleet.recipes[name]
    if name in records.unreadable:
        raise CanonError(f"{name}: {unreadable_record_message(name, records)}")
    observations = observe(host, house.fleet, sorted({name, *recipe.install.needs}), records).observations
    for observation in observations.values():
        _bring_up(host, house, observation)
    release = _release(host, observations[name], wish.ref)
    app_set = make_app_set(recipe, release, house.fleet.recipes, _need_releases(records, observations))
    concerned = host.with_drivers(drivers_of(app_set) | house.state.drivers_of_slot(name))
    with without_conflicts(host, house.fleet, recipe), lock_slot(concerned, name, f"trial {release.version}") as folder:
        observation = observations[name]
        request = TrialRequest(
            id=trial_id(host),
            recipe=recipe,
            release=release,
            app_set=app_set,
            base=base_for(observation, release),
            canonical=observation.newest_intact,
            by_pass=False,
            files=observation.files,
            tests=observation.tests,
            folder=folder,
            tiers=tiers,
        )
        tried = run_trial(concerned, request)
    conditions = gate(house.fleet, recipe, tried, observation.answer, host.place)
    return Tested(tried, conditions, observation.canonical, observation.status)


def _bring_up(host: Host, house: CommandContext, observation: Observation) -> None:
    """Fetch what is behind, if no pass is at it; what the mirror has by then is what can be tried."""
    if not isinstance(observation.answer, Answer) or mirror_state(observation) is MirrorState.EQUAL:
        return
    if isinstance(want_of(observation), Unobservable):
        return
    try:
        with hold(house.state.lock, f"trial {observation.recipe.name}"):
            updated = host.mirrors.update(observation.recipe, observation.answer, tags_to_mirror(observation))
        for remark in update_notes(observation.recipe.name, updated):
            host.progress.step(observation.recipe.name, remark)
    except LockHeldError as held:
        host.progress.step(observation.recipe.name, f"the mirror stays as it is: {held}")


def _release(host: Host, observation: Observation, ref: str | None) -> Release:
    name = observation.recipe.name
    if ref is None:
        want = want_of(observation)
        if not isinstance(want, Release):
            reason = want.reason if isinstance(want, Unobservable) else "it has no single newest release"
            raise InfrastructureError(f"{name}: nothing to try: {reason}", "name what to try: --ref REF")
        return want
    commit = host.mirrors.resolve(name, ref) or host.mirrors.fetch(observation.recipe, ref)
    if commit is None:
        raise UsageError(
            f"{name}: neither a release nor a branch nor a commit is named {ref}", _nearest(observation, ref)
        )
    return Release(ref, commit)


def _nearest(observation: Observation, ref: str) -> str:
    """What could have been meant; a commit is found only where a mirrored branch or release leads to it."""
    import difflib

    tags = upstream_tags(observation) or {}
    near = difflib.get_close_matches(ref, tags, 1)
    if near:
        return f"did you mean {near[0]}"
    newest = [release.version for release in releases(tags, "*")][: -NAMED_RELEASES - 1 : -1]
    return f"newest releases are: {', '.join(newest)}" if newest else "upstream has no release; name a branch, as main"


def _need_releases(records: Records, observations: Mapping[str, Observation]) -> dict[str, Release | None]:
    found: dict[str, Release | None] = {}
    for name, observation in observations.items():
        want = want_of(observation)
        found[name] = want if isinstance(want, Release) else None
    return found | {name: Release(have.version, have.commit) for name, have in records.canonicals.items()}


def _answer(house: CommandContext, wish: TrialOptions, tested: Tested, run: Run) -> int:
    bad = first_failure(tested.trial.tiers)
    code = 0 if bad is None else 1 if bad.verdict is Verdict.ERROR else 4
    if house.options.json:
        code = answer(write(trial_document(run, tested, code)), code)
    else:
        screen = screen_for(columns(), os.environ, no_color=house.options.no_color)
        shown = render_trial(tested.trial, tested.conditions, screen, state=str(house.state.root))
        code = answer(shown, code)
    if wish.junit is not None:
        Path(wish.junit).write_text(junit(tested.trial), encoding="utf-8")
    return code


# ---- a raised copy ----


def raise_copy(options: Options, name: str, span: str) -> int:
    """Raise the canonical's snapshot in a slot of its own and keep it until a signal or the end of `span`."""
    try:
        stays = read_duration(span)
    except RefusedError as wrong:
        raise UsageError(f"--for {span}: {wrong}") from wrong
    house = open_house(options)
    require(house, name)
    if house.state.database.is_file():
        prepare_state(house.state)
    recipes = house.fleet.recipes
    drivers = {recipes[app].driver for app in apps_of(recipes[name], recipes)} | house.state.drivers_of_slot(name)
    host = make_host(house, SilentProgress(sys.stderr)).with_drivers(drivers)
    records = host.registry.read()
    canonical = records.canonicals.get(name)
    if name in records.unreadable:
        raise CanonError(f"{name}: {unreadable_record_message(name, records)}")
    if canonical is None:
        raise CanonError(f"{name} has no canonical yet", "a pass promotes one: reconcile")
    with stoppable(), private_files(), lock_slot(host, name, f"raise {name}") as folder:
        try:
            # Caught within the slot, so that a slot which cannot be removed is told after a signal too.
            with (
                open_slot(host, folder, "raised", folder / "raise.log") as slot,
                suppress(InterruptedPassError),
            ):
                app_set = snapshot_app_set(host, canonical, house.fleet.recipes, slot.folder / "source", {})
                _tell(options, name, deploy_app_set(slot, app_set))
                _stay(slot, stays)
        except InterruptedPassError:
            return 0
    return 0


def _tell(options: Options, name: str, seen: RunningApp) -> None:
    """Raises UnwrittenError: what nobody can find is not kept up."""
    write_answer(write(raised_document(name, seen)) if options.json else render_raised(name, seen))


def _stay(slot: Slot, stays: timedelta) -> None:
    """Until the time is over. Raises CanonError for an app that ends by itself, also for one that is needed."""
    until = time.monotonic() + stays.total_seconds()
    while time.monotonic() < until:
        check_up(slot)
        time.sleep(min(1.0, max(0.0, until - time.monotonic())))
