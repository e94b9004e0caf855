"""The story, scene by scene: what is said before, what is run, and what must then be so."""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from attrs import field, frozen

from reconciler.demo.fleet import damage, publish
from reconciler.demo.stage import Played, Rows
from reconciler.demo.upstreams import BREAKING, GOOD, HISTORIES, MENDED, MOVED

PROMOTED_FIRST = {"accounts", "guestbook", "identity", "ledger", "links", "notes", "stats", "status"}
TRIED_FIRST = {*PROMOTED_FIRST, "paste", "photos"}
THREE_NOTES = ["3.0.9+1.10.7", "3.0.10+1.10.8", "3.1.0+1.11.0"]
LEDGER = "1.1.0+2.2.0"


@frozen
class Moment:
    """What is known after a scene's command.

    `played` is what it came to, `tried` are the recipes that it ran, and `wrote` says whether anything that is recorded
    is different now.
    """

    folder: Path
    before: Rows
    after: Rows
    tried: AbstractSet[str]
    wrote: bool
    played: Played

    def changed(self) -> set[str]:
        """Recipes of which something is said now that was not said before."""
        told = ("want", "have", "cause", "state", "held_back", "action")
        return {name for name in self.after if any(self.before[name][key] != self.after[name][key] for key in told)}

    def have(self, name: str) -> Mapping[str, Any]:
        """The canonical of a recipe; empty for none."""
        return self.after[name]["have"] or {}

    def lineage(self, name: str) -> object:
        """The releases that its data has lived through; None without a canonical."""
        return self.have(name).get("lineage")


@frozen
class Scene:
    """`before` is said first, then `happens` is done, then `words` are run.

    The exit code must be `code`, which `means` explains, and each of the sentences that `facts` gives must be true.
    """

    title: str
    before: str
    words: tuple[str, ...]
    code: int
    means: str
    facts: Callable[[Moment], Mapping[str, bool]]
    happens: Callable[[Path], object] = field(default=lambda _: None)
    reads: str = ""


def _looked_first(now: Moment) -> Mapping[str, bool]:
    rows = now.after
    return {
        "the folder of records does not exist yet": not (now.folder / "state").exists(),
        "each of the thirteen recipes has its row": {*rows} == {*HISTORIES},
        "ten have a release to be tried": {n for n in rows if rows[n]["action"] == "promote"} == TRIED_FIRST,
        "polls is ambiguous: one version was tagged twice": rows["polls"]["cause"] == "ambiguous",
        "wiki was never released": rows["wiki"]["cause"] == "never-released",
        "mail is excepted, with its reason": rows["mail"]["held_back"] == "excepted",
    }


def _passed_first(now: Moment) -> Mapping[str, bool]:
    rows = now.after
    return {
        "eight recipes have a canonical": {n for n in rows if now.have(n)} == PROMOTED_FIRST,
        "the data of ledger has lived through two releases": now.lineage("ledger") == ["1.0.0+2.1.0", LEDGER],
        "stats came without its base, which never starts": now.lineage("stats") == ["3.0.1+v2.0.0"],
        "paste is red, and is remembered": rows["paste"]["held_back"] == "red-before",
        "photos was not blamed for the missing tool": rows["photos"]["held_back"] is None,
    }


def _listed(now: Moment) -> Mapping[str, bool]:
    levels = {name: now.have(name)["evidence"]["level"] for name in PROMOTED_FIRST}
    return {
        "notes and ledger passed all five tiers": levels["notes"] == levels["ledger"] == "5/5",
        "status alone passed no more than one": {n for n, level in levels.items() if level == "1/5"} == {"status"},
        "nothing was written": not now.wrote,
    }


def _nothing_new(now: Moment) -> Mapping[str, bool]:
    return {
        "nothing is different from before": now.changed() == set(),
        "nothing was begun but photos": now.tried <= {"photos"},
    }


def _one_to_promote(now: Moment) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "notes is to be promoted": now.after["notes"]["action"] == "promote",
        "nothing was written": not now.wrote,
    }


def _promoted_over_lived_data(now: Moment) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "its data has lived through three releases": now.lineage("notes") == THREE_NOTES,
    }


def _refused(now: Moment) -> Mapping[str, bool]:
    return {
        "a fresh install of 1.2.0 passed": bool(re.search(r"passed +install\n", now.played.said)),
        "the canonical of ledger is the very one it was": now.have("ledger") == now.before["ledger"]["have"],
        "it is intact": now.after["ledger"]["state"] == "intact",
        "1.2.0+2.3.0 will not be tried again as it is": now.after["ledger"]["held_back"] == "red-before",
    }


def _ledger_read(now: Moment) -> Mapping[str, bool]:
    return {
        "the rent is there, and its day as somebody typed it into 1.0.0": "24.11.2025" in now.played.page,
        "nothing of the copy is left": _no_slots(now),
    }


def _quarantined(now: Moment) -> Mapping[str, bool]:
    return {
        "links is quarantined": now.after["links"]["held_back"] == "quarantined",
        "its canonical is untouched": now.have("links") == now.before["links"]["have"],
        "nothing was written": not now.wrote,
    }


def _damage_named(now: Moment) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "notes is damaged": now.after["notes"]["state"] == "damaged",
        "the data of three releases is said to be lost": f"{' → '.join(THREE_NOTES)} is lost" in now.played.said,
        "nothing was written": not now.wrote,
    }


def _repaired(now: Moment) -> Mapping[str, bool]:
    return {
        "notes is intact again": now.after["notes"]["state"] == "intact",
        "its data has lived through two releases now": now.lineage("notes") == THREE_NOTES[1:],
    }


def _notes_read(now: Moment) -> Mapping[str, bool]:
    return {
        "the notes are there": "The spare key hangs behind the mill." in now.played.page,
        "nothing of the copy is left": _no_slots(now),
    }


def _no_slots(now: Moment) -> bool:
    work = now.folder / "state" / "work"
    return not work.exists() or not any(work.iterdir())


def _publish_breaking(folder: Path) -> None:
    publish(folder, BREAKING)
    publish(folder, MENDED)


SCENES = (
    Scene(
        "What would be done",
        "Thirteen small web apps are published as git repositories with release tags. Canon is to keep, for each, the "
        "latest release that is known to be good, together with data that proves it: the canonical. So far there is "
        "none. A dry run only looks.",
        ("--dry-run",),
        4,
        "something needs a person, who says which of the two tags of polls is meant",
        _looked_first,
    ),
    Scene(
        "A pass",
        "Now it is done: each release is installed cold and used, upgraded from the release before it, backed up, "
        "restored, and checked for its data after every step. What passes is kept. This takes the longest.",
        (),
        1,
        "something could not be done: a tool that photos needs is not on this host",
        _passed_first,
    ),
    Scene(
        "The canonicals",
        "What is kept now: LEVEL says how many of the five tiers proved something, LINEAGE which releases the data "
        "has lived through. Nobody wrote tests for status, so that it starts is all that is known of it.",
        ("status",),
        0,
        "it tells what is recorded, and judges nothing",
        _listed,
    ),
    Scene(
        "A second pass",
        "Nothing was published since, so nothing is run again: not what is good, and not paste, which was red. Only "
        "the missing tool is looked for once more.",
        (),
        1,
        "the tool is still missing",
        _nothing_new,
    ),
    Scene(
        "A release is published",
        "The maintainers of notes publish 3.1.0, which moves all labels to a table of their own.",
        ("--dry-run",),
        4,
        "paste and polls still need a person; notes alone would be a 2",
        _one_to_promote,
        lambda folder: publish(folder, GOOD),
    ),
    Scene(
        "It is promoted over data that has lived",
        "The pass raises a copy of the canonical, puts 3.1.0 over it, and checks the notes that 3.0.9 once wrote.",
        (),
        1,
        "the tool that photos needs is still missing",
        _promoted_over_lived_data,
    ),
    Scene(
        "A release that breaks old data",
        "The maintainers of ledger publish 1.2.0. Freshly installed it works. But it reads days as dates, and 1.0.0 "
        "kept them as people typed them.",
        ("-r", "ledger"),
        4,
        "a red release needs a person",
        _refused,
        _publish_breaking,
    ),
    Scene(
        "The canonical stands",
        "A copy of ledger's canonical is raised for some seconds, and its entries are read over HTTP.",
        ("raise", "ledger", "--for", "4s"),
        0,
        "it came up, and was ended when its time was over",
        _ledger_read,
        reads="/entries",
    ),
    Scene(
        "A tag is moved",
        "Somebody moves the tag 1.5.0+2.1.0 of links to another commit. That is not what was tested.",
        ("drift", "-r", "links"),
        4,
        "only a person can say whether that was meant",
        _quarantined,
        lambda folder: publish(folder, MOVED),
    ),
    Scene(
        "A canonical is damaged",
        "A failing disk turns over some bytes in the stored data of notes. `drift` says what differs and what is lost, "
        "and writes nothing.",
        ("drift", "-r", "notes"),
        3,
        "a canonical is damaged",
        _damage_named,
        lambda folder: damage(folder, "notes"),
    ),
    Scene(
        "It is repaired",
        "A pass tests the release again, as if there were no canonical: upgraded from the release before it, with "
        "data that begins anew.",
        ("-r", "notes"),
        0,
        "all is well with notes",
        _repaired,
    ),
    Scene(
        "Its data can be seen",
        "A copy of the new canonical is raised, and its notes are read.",
        ("raise", "notes", "--for", "4s"),
        0,
        "it came up, and was ended when its time was over",
        _notes_read,
        reads="/notes",
    ),
)
