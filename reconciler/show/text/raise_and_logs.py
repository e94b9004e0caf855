"""One line for a raised copy, and the log of a trial tier by tier."""

from collections.abc import Mapping

from reconciler.ports.app import RunningApp
from reconciler.show.escape import escape, escape_lines
from reconciler.show.text.screen import Screen, Style, paint


def render_raised(recipe: str, seen: RunningApp) -> str:
    """Five fields with one blank between, for a person and for `read`: name, version, commit, url, address."""
    return escape(f"{recipe} {seen.version} {seen.commit} {seen.url} {seen.address}") + "\n"


def render_logs(trial: str, tiers: Mapping[str, str], screen: Screen) -> str:
    """`tiers` maps each tier to its log's whole text, in order."""
    parts = [
        [paint(f"==> {trial} {tier} <==", Style.STRONG, screen), *escape_lines(text)] for tier, text in tiers.items()
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n" if parts else ""
