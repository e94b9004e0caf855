"""A stack, and drawn configurations of compose files."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from reconciler.host.swarm.recipe.compose import Config
from reconciler.host.swarm.recipe.stack import (
    ComposeRelease,
    Endpoint,
    Stack,
)

MARK = "/state/work/notes/slot"
STACK = Stack("notes-1234abcd", "notes", MARK, "notes.localhost")
RELEASE = ComposeRelease("1.2.0+4.5", "c" * 40, {"TITLE": "costs $5", "A": "given"})
PROXIED = Endpoint("127.0.0.1:80", "http://notes.localhost", proxied=True)
PUBLISHED = Endpoint("127.0.0.1:24000", "http://127.0.0.1:24000", 80, 24000)


def config(**app: object) -> Config:
    """Return a config as `docker stack config` prints it."""
    return {"version": "3.8", "services": {"app": {"image": "nginx:1", **app}}}


# ---- what is laid over it ----

WORDS = st.sampled_from(["a", "b$c", "$", "$$x", "notes"])
LABELS = st.dictionaries(WORDS, WORDS, max_size=2)
OWN = st.fixed_dictionaries({}, optional={"labels": LABELS, "name": WORDS, "driver": WORDS})
MADE = {
    "volumes": OWN,
    "networks": st.fixed_dictionaries({}, optional={"internal": st.just(value=True), "name": WORDS, "labels": LABELS}),
    "configs": st.fixed_dictionaries(
        {"file": WORDS}, optional={"name": WORDS | st.just("notes-1234abcd_entry_v1"), "template_driver": WORDS}
    ),
    "secrets": st.fixed_dictionaries({"file": WORDS}, optional={"name": WORDS, "labels": LABELS}),
}
EXTERNAL = st.fixed_dictionaries({"external": st.just(value=True), "name": WORDS})
SERVICES = st.fixed_dictionaries(
    {"image": st.just("nginx:1")},
    optional={
        "environment": st.dictionaries(st.sampled_from(["TITLE", "A", "B"]), st.none() | WORDS),
        "networks": st.dictionaries(st.sampled_from(["default", "internal", "proxy"]), st.none(), max_size=2),
        "deploy": st.fixed_dictionaries({"labels": LABELS}),
    },
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Draw recipes with values at every place that Canon's additions change."""
    names = st.sampled_from(["default", "internal", "data"])
    told: dict[str, Any] = {"version": "3.8", "services": draw(st.dictionaries(st.just("db"), SERVICES))}
    told["services"]["app"] = draw(SERVICES)
    for kind in draw(st.lists(st.sampled_from([*MADE]), min_size=1, unique=True)):
        some = MADE[kind] | (st.none() if kind == "volumes" else EXTERNAL) | EXTERNAL
        told[kind] = draw(st.dictionaries(names, some, min_size=1))
    return told


DOORS = st.sampled_from([PROXIED, PUBLISHED])


def filled_in(part: Any) -> Any:  # noqa: ANN401 - any part of a compose file
    """What Docker makes of a file in which every `$` was doubled; a single one would be a variable."""
    if isinstance(part, Mapping):
        return {name: filled_in(value) for name, value in part.items()}
    if isinstance(part, list):
        return [filled_in(value) for value in part]
    if isinstance(part, str):
        assert "$" not in part.replace("$$", "")
        return part.replace("$$", "$")
    return part
