"""Finds the dangerous ways of canonicals, of which a person should be told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from desired.model import Recipe, WayName
from reconciler.core.known_ways import ways_of
from reconciler.core.notifications import LONGEST_REASON, Seen
from reconciler.core.report import Row
from reconciler.core.way_records import recorded_ways
from reconciler.core.ways import WayResult, is_dangerous, way_text
from state.ledger_line import LedgerLine
from state.notifications import FleetProblem, way_subject


def seen_of_ways(rows: Iterable[Row], recipes: Mapping[str, Recipe], lines: Iterable[LedgerLine]) -> Seen:
    """Return the dangers that ways have shown of the canonicals in `rows`, as one problem for each way.

    Only ways that the recipe declares to be run can have a problem. All other ways of the recipes in `rows` are
    returned as certainly without a problem. `ways_of` says how long a danger is known.

    * `recipes`: the declared recipes, by name.
    * `lines`: the ledger lines on ways, the oldest first.
    """
    by_recipe = defaultdict[str, list[LedgerLine]](list)
    for line in lines:
        by_recipe[line.entry.recipe].append(line)
    problems, over = dict[str, FleetProblem](), dict[str, str]()
    for row in rows:
        recipe = recipes.get(row.recipe)
        for way, dangers in groupby(_dangers(row, recipe, by_recipe[row.recipe]), lambda result: result.way):
            problem = _problem(way_subject(row.recipe, way), way, tuple(dangers))
            problems[problem.subject] = problem
        over |= {way_subject(row.recipe, way): _state_text(row, recipe, way) for way in WayName}
    return Seen(problems, {subject: text for subject, text in over.items() if subject not in problems})


def _problem(subject: str, way: WayName, dangers: Sequence[WayResult]) -> FleetProblem:
    """Return the problem of one way of a release, with all its dangerous results `dangers` in the reason."""
    reason = f"{way}: {'; '.join(map(way_text, dangers))}"
    return FleetProblem(subject, "danger", dangers[0].release.version, reason[:LONGEST_REASON])


def _dangers(row: Row, recipe: Recipe | None, lines: Iterable[LedgerLine]) -> Iterator[WayResult]:
    """Yield each dangerous result of a way of the canonical's release, if the recipe declares that the way is run.

    Yield nothing if there is no canonical, or if the recipe is not enrolled. `recipe` is None if the recipe is not
    declared: then yield nothing. `lines` are the ledger lines on the recipe's ways, the oldest first.
    """
    have = row.finding.have
    if have is None or recipe is None or not recipe.enrolled:
        return
    for each in ways_of(recorded_ways(lines, row.recipe), have.version, have.commit):
        if each.result.way in recipe.ways.run and is_dangerous(each.result):
            yield each.result


def _state_text(row: Row, recipe: Recipe | None, way: WayName) -> str:
    """Return why a way is no problem, such as "no danger is known of 1.2.0". `recipe` is None if it is not declared."""
    if row.finding.have is None:
        return "no canonical"
    if recipe is None or not recipe.enrolled or way not in recipe.ways.run:
        return f"the recipe does not run the way {way}"
    return f"no danger is known of {row.finding.have.version}"
