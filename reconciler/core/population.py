"""Says how many recipes there are at each stage of a run."""

from attrs import frozen


@frozen
class Population:
    """How many recipes there are at each stage of a run.

    * `declared`: all recipes of the fleet. `selected`: those that this run is about.
    * `enrolled`: the selected ones that are tried. `excepted`: those with `enrolled = false` and a reason.
    * `observed`: those with an observation. `decided`: those with a step. `reported`: those with a row in the report.
    * `to_try`: how many trials the pass planned; in a dry run, how many a pass would make now.
    * `tried`: how many trials took place; 0 in a dry run.
    """

    declared: int
    selected: int
    enrolled: int
    excepted: int
    observed: int
    decided: int
    reported: int
    orphaned: int = 0
    to_try: int = 0
    tried: int = 0
