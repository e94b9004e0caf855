"""The text of `reconcile raise` and of `reconcile logs`."""

from collections.abc import Mapping

from reconciler.ports.app import RunningApp
from reconciler.show.escape import escape, escape_lines
from reconciler.show.text.screen import Screen, Style, paint


def render_raised(recipe: str, app: RunningApp) -> str:
    """Return a line with recipe, version, commit, URL and address, separated by spaces for the `read` of a shell."""
    return escape(f"{recipe} {app.version} {app.commit} {app.url} {app.address}") + "\n"


def render_logs(trial: str, tiers: Mapping[str, str], screen: Screen) -> str:
    """Return the log of each tier under a heading; "" if there are none.

    `trial` is the id of the trial. `tiers` maps each tier, in order, to the whole text of its log.
    """
    parts = [
        [paint(f"==> {trial} {tier} <==", Style.STRONG, screen), *escape_lines(text)] for tier, text in tiers.items()
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n" if parts else ""
