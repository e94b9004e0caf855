"""Renders the page of `reconcile report` from templates. It has one style sheet and no script."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reconciler.core.activity import timeouts
from reconciler.core.sizes import size
from reconciler.show import quantities
from reconciler.show.escape import escape
from reconciler.show.labels import CAUSES, CONDITION_STATUSES, STATES
from reconciler.show.page import tones
from reconciler.show.page.page_facts import PageFacts, activity_of
from reconciler.show.page.passes_on_page import pass_picture, passes_on_page
from reconciler.show.page.recipe_on_page import MOST_TAGS, recipes_on_page
from reconciler.show.page.summary_on_page import asking, bucket_shares, drift_on_page
from reconciler.show.page.trials_on_page import snapshot_sizes, trials_on_page
from reconciler.show.page.ways_on_page import danger_warnings
from reconciler.show.text.pass_age import stale_notes

_TEMPLATES: Final = Path(__file__).parent / "templates"
_INDENT: Final = re.compile(r"\n\s+")
_AFTER_P: Final = "article|details|div|figure|h[1-6]|li|ol|p|section|table|ul"
# HTML needs neither quotes around such values nor these tags. Texts cannot match, since their `"` and `<` are escaped.
_QUOTED: Final = re.compile(r'="([\w#%.:+-]+)"(?=[ >])', re.ASCII)
_END_TAGS: Final = re.compile(rf"</(?:td|th|tr|li|dt|dd)>|</caption>\n|</p>(?=\n</?(?:{_AFTER_P})[ >])")
MOST_TIMEOUTS: Final = 40


def render_page(facts: PageFacts) -> str:
    """Return the page of `reconcile report` as one HTML document.

    All texts are escaped for HTML, and their invisible characters are escaped too.
    """
    style = _compact((_TEMPLATES / "style.css").read_text("utf-8"))
    page = _environment().get_template("page.html.j2")
    # A line of text holds no line break, since `escape` has escaped it: only indentation goes.
    return _shortened(page.render(**_parts(facts), style=Markup(style), policy=policy_of(style)))  # noqa: S704  our own file


def policy_of(style: str) -> str:
    """Return the content security policy of the page: nothing is loaded, no script runs, only one style sheet applies.

    `style` is the text of the style sheet that applies.
    """
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _parts(facts: PageFacts) -> Mapping[str, object]:
    """Return all values for the templates of the page. The keys are the names by which the templates use them."""
    activity = activity_of(facts.events)
    recipes = recipes_on_page(facts, activity)
    return {
        "facts": facts,
        "report": facts.report,
        "now": facts.now,
        "warnings": _warnings(facts),
        "shares": bucket_shares(facts.report),
        "asking": asking(recipes),
        "recipes": recipes,
        "recipe_names": {recipe.name for recipe in recipes},
        "limits": _limits(facts),
        "drift": drift_on_page(facts.report.rows),
        "trials": trials_on_page(activity),
        "all_trials": len(activity.trials),
        "disk": snapshot_sizes(facts),
        "timeouts": tuple(reversed(timeouts(activity.trials)[-MOST_TIMEOUTS:])),
        "passes": passes_on_page(activity.passes),
        "all_passes": len(activity.passes),
        "pass_picture": pass_picture(activity.passes),
    }


def _limits(facts: PageFacts) -> dict[str, float]:
    """Return how long the app of each recipe may take to become ready, in seconds, by the recipe's name.

    A recipe on a Swarm without `[ready] timeout` is left out: each of its releases declares the time for itself.
    """
    known = (each for each in facts.fleet.recipes.values() if each.ready.timeout or each.driver == "process")
    return {recipe.name: recipe.ready.within().total_seconds() for recipe in known}


def _warnings(facts: PageFacts) -> tuple[str, ...]:
    """Return the texts of the warnings at the top of the page, in this order.

    * a text if the hashes of the ledger are wrong.
    * a text for each way of a canonical in which data may be lost (see `danger_warnings`).
    * a text if the last pass over the whole fleet is too old.
    * the notes of the report.
    """
    ledger = (f"{facts.broken_ledger}; what this page says of the past may be wrong",) if facts.broken_ledger else ()
    return (*ledger, *danger_warnings(facts.explained), *stale_notes(facts.last), *facts.report.notes)


@cache
def _environment() -> Environment:
    """Return the Jinja environment of the templates. An undefined name in a template raises an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "age": quantities.age,
        "duration": quantities.duration,
        "moment": quantities.moment,
        "rfc3339": quantities.rfc3339,
        "short": quantities.short,
        "bytes": size,
        "anchor": _anchor,
    }
    environment.globals |= {
        "causes": CAUSES,
        "states": STATES,
        "statuses": CONDITION_STATUSES,
        "tones": tones,
        "most_tags": MOST_TAGS,
    }
    return environment


def _visible(value: object) -> object:
    """Return a value for a template. If `value` is a text, return the text with invisible characters escaped.

    If `value` is no text, or is HTML that a template made, return `value` unchanged.
    """
    return escape(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _anchor(name: str) -> str:
    """Return the HTML id of the section on the recipe `name`. The id has only letters, digits and `-._~%`."""
    return "recipe-" + quote(name, safe="", errors="backslashreplace")


def _shortened(html: str) -> str:
    """Return `html` without the white space, end tags and quotes that HTML does not need. Its meaning is the same."""
    return _QUOTED.sub(r"=\1", _END_TAGS.sub("", _compact(html)))


def _compact(text: str) -> str:
    """Return `text` without indentation and without empty lines."""
    return _INDENT.sub("\n", text)
