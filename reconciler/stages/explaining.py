"""Makes the explanations of recipes, from what a dry run observes or from what passes recorded. Changes nothing."""

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from desired.releases import Unobservable
from reconciler.core.case import Case
from reconciler.core.events import Event, by_recipe, events_of, last_observed, last_unobserved
from reconciler.core.explanation import Explanation, Freshness, explain
from reconciler.core.findings import Cause
from reconciler.core.gate import gate
from reconciler.core.needs import apps_of
from reconciler.core.observation import Observation, State
from reconciler.core.plan import Step
from reconciler.core.wanted_release import release_for_needs
from reconciler.ports.host import Host
from reconciler.ports.repositories import Reply, TagQuery, Unchanged
from reconciler.ports.storage import Registry
from reconciler.promotion.rollback import stored_of
from reconciler.stages.observe import Observations, observe
from reconciler.stages.planning import RunRequest, context_for, plan_for
from reconciler.stages.preview import Preview
from state.records import Records


@frozen
class RecordedAnswers:
    """A replacement for the port Upstream: it asks no upstream, and replies with the last recorded answers.

    An upstream that the last pass could not see is Unobservable, because its recorded answer may be out of date.
    """

    registry: Registry

    def ask(self, queries: Sequence[TagQuery]) -> Mapping[str, Reply]:
        ends = events_of(self.registry.lines(kind="pass-end"))
        return {query.recipe.name: _recorded_reply(query, ends) for query in queries}


def _recorded_reply(query: TagQuery, ends: Sequence[Event]) -> Reply:
    """Return the reply to `query`, whose upstream is not asked.

    * Unchanged: this stands for the answer of upstream that was recorded last.
    * Unobservable: no answer is recorded, or the last pass that asked could not see this upstream.

    `ends` are the events with which passes ended, for all passes.
    """
    if not query.known:
        return Unobservable("upstream is not asked now, and no pass has recorded an answer")
    lost = last_unobserved(ends, query.recipe.name)
    if lost is None:
        return Unchanged()
    at = f"on {lost:%Y-%m-%d %H:%M} UTC"
    return Unobservable(f"upstream is not asked now, and the last pass that asked, {at}, could not see it")


def without_asking(host: Host) -> Host:
    """Return a copy of the host that asks no upstream, and instead uses the answers that passes recorded."""
    return evolve(host, upstream=RecordedAnswers(host.registry))


def explanations(host: Host, request: RunRequest, *, ask: bool = True) -> tuple[Explanation, ...]:
    """Return the explanation of each recipe in `request.names`, sorted by name. Orphans may be among them.

    If `ask` is False, no upstream is asked, and the answers that passes recorded are used. Nothing is changed.
    """
    declared = request.fleet.recipes
    chosen = [name for name in request.names if name in declared]
    # `observe` looks for orphans only with the whole fleet, whose upstreams have no part in them.
    has_orphans = len(chosen) < len(request.names)
    looking = _Looking(host if ask else without_asking(host), request)
    found = looking.explained(chosen) if chosen else ()
    if has_orphans:
        whole = _Looking(without_asking(host), request)
        found = (*found, *(each for each in whole.explained(list(declared)) if each.recipe not in declared))
    return tuple(sorted((each for each in found if each.recipe in request.names), key=lambda each: each.recipe))


def explain_preview(host: Host, request: RunRequest, made: Preview, events: Sequence[Event]) -> tuple[Explanation, ...]:
    """Return the explanation of each recipe of the dry run `made`, in the order of its plan. Nothing is observed again.

    `events` are the events of the whole ledger.
    """
    looking, of_recipes = _Looking(host, request), by_recipe(events)
    steps = made.plan.steps.values()
    return tuple(looking.explain_step(step, made.observed, made.records, of_recipes) for step in steps)


def explain_observation(host: Host, request: RunRequest, observation: Observation) -> Explanation:
    """Return the explanation of one recipe by `observation`. Nothing is observed again, and nothing is changed."""
    observed = Observations({observation.recipe.name: observation}, {})
    step = plan_for(host, request, observed).steps[observation.recipe.name]
    events = by_recipe(events_of(host.registry.lines()))
    return _Looking(host, request).explain_step(step, observed, host.registry.read(), events)


@frozen
class _Looking:
    """Observes recipes through the ports of `host`, and explains them."""

    host: Host
    request: RunRequest

    def explained(self, names: Sequence[str]) -> tuple[Explanation, ...]:
        """Observe the recipes `names` and the recipes that they need. Return their explanations in the plan's order.

        The explanations of orphans are included if `names` are all declared recipes.
        """
        recipes = self.request.fleet.recipes
        records = self.host.registry.read()
        whole = sorted({app for name in names for app in apps_of(recipes[name], recipes)})
        observed = observe(self.host, self.request.fleet, whole, records)
        plan = plan_for(self.host, self.request, observed)
        events = by_recipe(events_of(self.host.registry.lines()))
        return tuple(self.explain_step(step, observed, records, events) for step in plan.steps.values())

    def explain_step(
        self, step: Step, observed: Observations, records: Records, events: Mapping[str, Sequence[Event]]
    ) -> Explanation:
        """Return the explanation of the recipe of `step`.

        `events` has the events of each recipe under its name, and the events of whole passes under "".
        """
        name = step.recipe
        observation = observed.observations.get(name)
        case = self._case(step, observation, observed, records)
        freshness = _freshness(self.host, observation, events.get("", ()))
        done = explain(case, events.get(name, ()), records.drift.get(name), freshness)
        return evolve(done, by_record=self._by_record(observation)) if observation is not None else done

    def _case(self, step: Step, observation: Observation | None, observed: Observations, records: Records) -> Case:
        host, fleet, context = self.host, self.request.fleet, context_for(self.host, self.request)
        if observation is None:
            return Case(step, None, (), fleet, context, {})
        needed = sorted(apps_of(observation.recipe, fleet.recipes) - {observation.recipe.name})
        needs = {name: _has_release(name, observed, records) for name in needed}
        conditions = gate(fleet, observation.recipe, None, None, host.place)
        is_ahead = step.finding.cause is Cause.AHEAD
        stored = stored_of(host, step.recipe, records).intact if is_ahead else ()
        return Case(step, observation, conditions, fleet, context, needs, stored)

    def _by_record(self, observation: Observation) -> str:
        """Return the reason of the step that the recipe would have if upstream gave its last recorded answer again.

        Return "" if upstream can be seen now, because its present answer then counts. Return "" also if no answer is
        recorded, or if the state of the canonical is unknown.
        """
        if not isinstance(observation.answer, Unobservable) or observation.memory.answer is None:
            return ""
        if observation.status.state is State.UNKNOWN:
            return ""
        recorded = evolve(observation, answer=observation.memory.answer)
        plan = plan_for(self.host, self.request, Observations({observation.recipe.name: recorded}, {}))
        return plan.steps[observation.recipe.name].reason


def _has_release(name: str, observed: Observations, records: Records) -> bool:
    """Return whether there is a release of the recipe `name` to deploy when another recipe needs its app.

    There is one if the recipe has a canonical, or else if `release_for_needs` returns one.
    """
    if name in records.canonicals:
        return True
    observation = observed.observations.get(name)
    return observation is not None and release_for_needs(observation) is not None


def _freshness(host: Host, observation: Observation | None, events: Sequence[Event]) -> Freshness:
    """Return how old the facts about upstream are.

    * `observation`: the observation of the recipe; None for an orphan, which has no upstream.
    * `events`: the events of whole passes. They tell when a pass last saw this upstream.
    """
    if observation is None:
        return Freshness(asked=False, seen_at=None, same_since=None)
    memory, is_recorded = observation.memory, isinstance(host.upstream, RecordedAnswers)
    is_same = observation.answer == memory.answer
    if not is_recorded and not isinstance(observation.answer, Unobservable):
        since = memory.answered_at if is_same else None
        return Freshness(asked=True, seen_at=observation.observed_at, same_since=since)
    seen_at = last_observed(events, observation.recipe.name) or memory.answered_at
    return Freshness(asked=False, seen_at=seen_at, same_since=memory.answered_at)
