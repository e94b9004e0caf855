"""The text of `reconcile raise` and of `reconcile logs`."""

from collections.abc import Mapping

from reconciler.ports.app import RunningApp
from reconciler.show.escape import escape, escape_lines
from reconciler.show.text.screen import Screen, Style, paint


def render_raised(recipe: str, app: RunningApp) -> str:
    """Return the line that `reconcile raise` prints: recipe, version, commit, URL and address of the raised app.

    The five values are separated by spaces, so that a shell can `read` them.
    """
    return escape(f"{recipe} {app.version} {app.commit} {app.url} {app.address}") + "\n"


def render_logs(trial: str, tiers: Mapping[str, str], screen: Screen) -> str:
    """Return the text of `reconcile logs`: the log of each tier of a trial, each under a heading.

    `trial` is the id of the trial. `tiers` maps each tier, in order, to the whole text of its log. Return "" if `tiers`
    is empty.
    """
    parts = [
        [paint(f"==> {trial} {tier} <==", Style.STRONG, screen), *escape_lines(text)] for tier, text in tiers.items()
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n" if parts else ""
