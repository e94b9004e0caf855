"""Names kept deployments that a pass over some recipes undeployed for a trial, and that are not up again."""

from collections.abc import Collection

from reconciler.core.needs import conflicting_recipes
from reconciler.core.redeployed import not_up_notes
from reconciler.ports.host import Host
from reconciler.promotion.undeploy_conflicts import deployments_not_up
from reconciler.stages.planning import RunRequest
from state.records import Records


def unselected_notes(host: Host, request: RunRequest, tried: Collection[str], records: Records) -> tuple[str, ...]:
    """Return a note on each kept deployment that is not up and that the trials of the recipes `tried` stopped.

    Selected recipes are left out, since they have a row. `records` are those after the trials.
    """
    recipes = request.fleet.recipes
    stopped = {name for each in tried for name in conflicting_recipes(recipes, recipes[each])}
    canonicals = [records.canonicals[name] for name in sorted(stopped - {*request.names}) if name in records.canonicals]
    return not_up_notes(deployments_not_up(host, request.fleet, canonicals))
