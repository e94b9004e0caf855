"""Carries out a plan with several steps at once, each in a worker. A step that fails this way is repeated alone."""

import signal
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial

from attrs import define, evolve, field

from reconciler.core.outcome import Outcome, Result
from reconciler.core.plan import Step
from reconciler.core.schedule import CompanyFailure, Schedule, company_failure, deploys, make_schedule, next_starts
from reconciler.errors import InterruptedPassError, in_one_line
from reconciler.ports.host import Host
from reconciler.ports.workers import WorkerDied, WorkerEnd, Workers
from reconciler.stages.converge import (
    ConvergeContext,
    converge,
    converge_alone,
    converge_step,
    record_step,
    redeploy,
    untried,
)
from reconciler.stages.disk_room import trials_beside
from reconciler.stages.recover import recover_recipe


def converge_beside(context: ConvergeContext, workers: Workers) -> Generator[Outcome, None, None]:
    """Carry out the steps of the plan, several at once. Yield the outcome of each as soon as it ends.

    What is recorded is the same as with `converge`. Steps that deploy nothing come first.

    A signal is passed on to all workers. The outcomes of steps that still end are yielded, and then
    InterruptedPassError is raised. If the caller closes the generator, all workers are ended.
    """
    quick = tuple(name for name in context.plan.order if not deploys(context.plan.steps[name]))
    yield from converge(evolve(context, plan=evolve(context.plan, order=quick)))
    turns = _Turns(context, workers, make_schedule(context.plan, context.fleet.recipes, workers.parallel))
    try:
        yield from turns.outcomes()
    except InterruptedPassError as stop:
        yield from _outcomes_of(workers.stop(stop.signal_number))
        raise
    except BaseException:
        for _ in workers.stop(signal.SIGTERM):
            pass
        raise


@define
class _Turns:
    """Starts each step of `schedule` when its turn comes, in a worker or alone. The fields name a step by its recipe.

    * `context`: what the steps need.
    * `workers`: the processes that carry out steps beside each other.
    * `running`: the steps that run now.
    * `finished`: the steps that have ended.
    * `failures`: the steps to repeat alone, because they failed while others ran.
    * `had_company`: the steps that were ever started in a worker.
    """

    context: ConvergeContext
    workers: Workers
    schedule: Schedule
    running: set[str] = field(factory=set)
    finished: set[str] = field(factory=set)
    failures: dict[str, CompanyFailure] = field(factory=dict)
    had_company: set[str] = field(factory=set)

    def outcomes(self) -> Iterator[Outcome]:
        while len(self.finished) < len(self.schedule.order):
            for start in next_starts(self.schedule, self.finished, self.running, self.failures):
                if start.alone:
                    yield self._alone(start.recipe)
                else:
                    self._begin(start.recipe)
            if self.running:
                yield from self._next_outcome()
        for name in sorted(self.had_company):
            # A kept deployment may have come up too slowly beside others. Those that are up are left alone.
            redeploy(self.context, self.context.plan.steps[name])

    def _alone(self, name: str) -> Outcome:
        outcome = converge_alone(evolve(self.context, failures=self.failures), self.context.plan.steps[name])
        self.finished.add(name)
        return outcome

    def _begin(self, name: str) -> None:
        """Start a worker for the step of the recipe `name`.

        If no process can be started, add the step to `failures`: it is then carried out alone later.
        """
        for driver in self.context.host.drivers.values():
            driver.forget()
        try:
            memories = [self.context.observations[each].memory for each in sorted(self.running)]
            context = evolve(self.context, beside=trials_beside(self.context.host, memories))
            self.workers.start(name, partial(_in_company, context, self.context.plan.steps[name]))
        except OSError as failed:
            self.failures[name] = CompanyFailure(f"no process could be started for it: {in_one_line(failed)}")
        else:
            self.running.add(name)
            self.had_company.add(name)

    def _next_outcome(self) -> Iterator[Outcome]:
        """Wait until a worker ends. Yield the outcome of its step, unless the step has to be repeated alone.

        A step that has to be repeated is added to `failures`.
        """
        name, end = self.workers.next_end()
        self.running.discard(name)
        if isinstance(end, Outcome):
            self.finished.add(name)
            yield end
        elif isinstance(end, WorkerDied):
            yield from self._after_death(name, f"its process {end.how}")
        elif isinstance(end, CompanyFailure):
            self.failures[name] = end

    def _after_death(self, name: str, how: str) -> Iterator[Outcome]:
        """Clean up after the worker of the recipe `name` died. `how` is a text such as "its process was ended by …".

        If the worker recorded a promotion or a repair before it died, yield the outcome of the step. If not, yield
        nothing, and add the step to `failures`: it is then repeated alone.
        """
        with suppress(Exception):  # what is left, the next try finds
            recover_recipe(self.context.host, self.context.fleet, name)
        outcome = untried(self.context, self.context.plan.steps[name], how)
        if outcome.result in {Result.PROMOTED, Result.REPAIRED}:
            self.finished.add(name)
            yield outcome
        else:
            self.failures[name] = CompanyFailure(how)


def _in_company(context: ConvergeContext, step: Step, host: Host) -> Outcome | CompanyFailure:
    """Carry out a step in a worker, while other steps run. Record the outcome, and return it.

    If the step fails, and the other steps may be to blame, record nothing and return a CompanyFailure. `host` is the
    worker's own host.
    """
    context = evolve(context, host=host, has_company=True)
    outcome = converge_step(context, step)
    failure = company_failure(outcome)
    if failure is None:
        outcome = record_step(context, outcome)
    else:
        again = "failed beside others, so it is tried again alone"
        what = again if failure.has_begun else "waits until it can be tried alone"
        host.progress.done(step.recipe, f"{what}: {failure.reason}")
    if step.release is not None:
        redeploy(context, step)
    return failure or outcome


def _outcomes_of(ends: Iterator[WorkerEnd]) -> Iterator[Outcome]:
    return (end for _, end in ends if isinstance(end, Outcome))
