"""The facts that must be true after each scene of the story, as sentences for the reader."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from attrs import frozen

from reconciler.demo.stage import PlayedCommand, Rows
from reconciler.demo.upstreams import HISTORIES

PROMOTED_FIRST = {"accounts", "guestbook", "identity", "ledger", "links", "notes", "stats", "status"}
TRIED_FIRST = {*PROMOTED_FIRST, "paste", "photos"}
THREE_NOTES = ["3.0.9+1.10.7", "3.0.10+1.10.8", "3.1.0+1.11.0"]
LEDGER = "1.1.0+2.2.0"
REASON = "labels cannot be seen on telephones"


@frozen
class AfterScene:
    """What the facts of a scene are checked against.

    * `folder`: the folder of the demo.
    * `before`, `after`: the rows of all recipes in `reconcile drift`, before and after the command of the scene.
    * `tried`: the recipes of which the command began a trial.
    * `wrote`: True if the command changed a file of the state folder.
    * `played`: the result of the command.
    """

    folder: Path
    before: Rows
    after: Rows
    tried: AbstractSet[str]
    wrote: bool
    played: PlayedCommand

    def changed(self) -> set[str]:
        """Return the names of the recipes whose row in `reconcile drift` was changed by the scene's command.

        Only the facts about release, canonical and next action are compared.
        """
        keys = ("want", "have", "cause", "state", "held_back", "action")
        return {name for name in self.after if any(self.before[name][key] != self.after[name][key] for key in keys)}

    def have(self, name: str) -> Mapping[str, Any]:
        """Return the canonical of the recipe `name` as it is in the report's JSON; {} if it has none."""
        return self.after[name]["have"] or {}

    def lineage(self, name: str) -> object:
        """Return the lineage of the canonical of the recipe `name`; None if it has no canonical."""
        return self.have(name).get("lineage")


def first_dry_run(now: AfterScene) -> Mapping[str, bool]:
    """Return the facts of the scene with the first dry run: sentences, each with whether it is true.

    Each function below this one does the same for another scene.
    """
    rows = now.after
    return {
        "the folder of records does not exist yet": not (now.folder / "state").exists(),
        "each of the thirteen recipes has its row": {*rows} == {*HISTORIES},
        "ten have a release to be tried": {n for n in rows if rows[n]["action"] == "promote"} == TRIED_FIRST,
        "polls is ambiguous: one version was tagged twice": rows["polls"]["cause"] == "ambiguous",
        "wiki was never released": rows["wiki"]["cause"] == "never-released",
        "mail is excepted, with its reason": rows["mail"]["held_back"] == "excepted",
    }


def first_pass(now: AfterScene) -> Mapping[str, bool]:
    rows = now.after
    return {
        "eight recipes have a canonical": {n for n in rows if now.have(n)} == PROMOTED_FIRST,
        "the data of ledger has lived through two releases": now.lineage("ledger") == ["1.0.0+2.1.0", LEDGER],
        "stats came without its base, which never starts": now.lineage("stats") == ["3.0.1+v2.0.0"],
        "paste is red, and is remembered": rows["paste"]["held_back"] == "red-before",
        "photos was not blamed for the missing tool": rows["photos"]["held_back"] is None,
    }


def first_status(now: AfterScene) -> Mapping[str, bool]:
    levels = {name: now.have(name)["evidence"]["level"] for name in PROMOTED_FIRST}
    return {
        "notes and ledger passed all five tiers": levels["notes"] == levels["ledger"] == "5/5",
        "status alone passed no more than one": {n for n, level in levels.items() if level == "1/5"} == {"status"},
        "nothing was written": not now.wrote,
    }


def second_pass(now: AfterScene) -> Mapping[str, bool]:
    return {
        "nothing is different from before": now.changed() == set(),
        "nothing was begun but photos": now.tried <= {"photos"},
    }


def dry_run_with_new_release(now: AfterScene) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "notes is to be promoted": now.after["notes"]["action"] == "promote",
        "nothing was written": not now.wrote,
    }


def upgrade_promoted(now: AfterScene) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "its data has lived through three releases": now.lineage("notes") == THREE_NOTES,
    }


def no_way_back(now: AfterScene) -> Mapping[str, bool]:
    _, middle, last = THREE_NOTES
    told = " ".join(now.played.output.split())
    return {
        "3.0.10 refuses the data, in its own words": "the data has schema 3, this release knows only 2" in told,
        "it leaves the data as it was: nothing is lost": f"notes {last}: back no to {middle}: it does not come up, "
        "and leaves the data as it was" in told,
        "the canonical is the very one it was": now.have("notes") == now.before["notes"]["have"],
        "no release was tried": now.tried == set(),
    }


def broken_upgrade_is_red(now: AfterScene) -> Mapping[str, bool]:
    return {
        "a fresh install of 1.2.0 passed": bool(re.search(r"passed +install\n", now.played.output)),
        "the canonical of ledger is the very one it was": now.have("ledger") == now.before["ledger"]["have"],
        "it is intact": now.after["ledger"]["state"] == "intact",
        "1.2.0+2.3.0 will not be tried again as it is": now.after["ledger"]["held_back"] == "red-before",
    }


def red_explained(now: AfterScene) -> Mapping[str, bool]:
    told = now.played.output
    return {
        "it says that ledger needs you": told.startswith("ledger: needs you\n"),
        "a newer release would change that": "upstream publishes a release newer than 1.2.0+2.3.0" in told,
        "so would a second try, by the command that it names": "reconcile -r ledger --retry ledger\n" in told,
        "nothing was written": not now.wrote,
    }


def ledger_served(now: AfterScene) -> Mapping[str, bool]:
    return {
        "the rent is there, and its day as somebody typed it into 1.0.0": "24.11.2025" in now.played.page,
        "nothing of the copy is left": _no_slots(now),
    }


def quarantined(now: AfterScene) -> Mapping[str, bool]:
    return {
        "links is quarantined": now.after["links"]["held_back"] == "quarantined",
        "its canonical is untouched": now.have("links") == now.before["links"]["have"],
        "nothing was written": not now.wrote,
    }


def damage_named(now: AfterScene) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "notes is damaged": now.after["notes"]["state"] == "damaged",
        "the generation before it is said to be intact": f"({' → '.join(THREE_NOTES[:2])}) is intact"
        in now.played.output,
        "nothing was written": not now.wrote,
    }


def repaired(now: AfterScene) -> Mapping[str, bool]:
    return {
        "notes is intact again": now.after["notes"]["state"] == "intact",
        "its data has lived through three releases again": now.lineage("notes") == THREE_NOTES,
    }


def notes_served(now: AfterScene) -> Mapping[str, bool]:
    return {
        "the notes are there": "The spare key hangs behind the mill." in now.played.page,
        "nothing of the copy is left": _no_slots(now),
    }


def audited(now: AfterScene) -> Mapping[str, bool]:
    told = now.played.output
    return {
        "the moved tag of links is named": bool(
            re.search(r"^links +disagree +tag 1\.5\.0\+2\.1\.0 ", told, re.MULTILINE)
        ),
        "the damaged snapshot of notes is named": bool(
            re.search(r"^notes +disagree +snapshot of generation 2 ", told, re.MULTILINE)
        ),
        "everything else agrees": " 2 disagree, 0 not asked\n" in told,
        "nothing was written": not now.wrote,
    }


def rolled_back(now: AfterScene) -> Mapping[str, bool]:
    return {
        "only notes has changed": now.changed() == {"notes"},
        "its data has lived through two releases, as before 3.1.0": now.lineage("notes") == THREE_NOTES[:2],
        "it is intact": now.after["notes"]["state"] == "intact",
        "3.1.0 is not tried again": now.after["notes"]["held_back"] == "held",
    }


def history_told(now: AfterScene) -> Mapping[str, bool]:
    told = re.findall(r" (promoted|rolled-back) +(\S+) ", now.played.output)
    _, middle, last = THREE_NOTES
    return {
        "it tells of three promotions and of the rollback, the oldest first": told
        == [("promoted", middle), ("promoted", last), ("promoted", last), ("rolled-back", middle)],
        "the rollback has its reason": f"{last} was left: {REASON}" in now.played.output,
        "nothing was written": not now.wrote,
    }


def page_written(now: AfterScene) -> Mapping[str, bool]:
    page = (now.folder / "canon.html").read_text("utf-8")
    return {
        "every recipe has a section on the page": all(
            re.search(rf"\bid=recipe-{re.escape(name)}[ >]", page) for name in HISTORIES
        ),
        "it says who went back, and why": "rolled-back" in page and REASON in page,
        "it has the lineage of ledger": f"1.0.0+2.1.0 → {LEDGER}" in page,
        "no record was changed": not now.wrote,
    }


def _no_slots(now: AfterScene) -> bool:
    """Return whether the state folder has no slot."""
    work = now.folder / "state" / "work"
    return not work.exists() or not any(work.iterdir())
