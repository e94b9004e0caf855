"""Which lies of a port do no harm to a promotion, what a pass keeps then, and what each call changes."""

from collections.abc import Mapping

from tests.lying_ports import (
    OTHER,
    OWN,
)

# Calls of a promotion that may lie: `promoted` is true nevertheless, for the reason given.
HARMLESS_ANYWHERE = {
    "driver.app_run": "names a path, and touches nothing",
    "driver.changes": "says when to look again, and the status is read anyway",
    "driver.clear": "stops what still runs after the removal, and nothing does",
    "driver.leftovers": "searches for leftovers, and there are none",
    "driver.logs": "copies the apps' logs, and decides nothing",
    "driver.needs": "names the secrets that are needed, and the candidate holds them",
    "driver.remove": "`driver.clear` stops what still runs, and the slot's folder is deleted in any case",
    "mirrors.refs": "reads the mirror, which no promotion changes",
    "readiness.wait": "waits for an app that is up already; the driver's status is read afterwards",
    "readiness.watch": "watches whether the app stays up, and it does",
    "registry.generations": "comes after the label, and returns which old snapshots and logs to keep",
    "registry.remember": "comes after the label, and records the trial",
    "secrets.provide": "makes missing secrets, and the candidate lacks none",
}
HARMLESS: Mapping[str, Mapping[str, str]] = {
    "elsewhere": HARMLESS_ANYWHERE,
    "nothing": HARMLESS_ANYWHERE
    | {
        "commands.run": "a check only reads the data, and the data is complete",
        "driver.status": "reads the status, which is read again before each wait and each command",
        "mirrors.alterations": "searches for altered files, and there are none",
        "snapshots.find_damage": "checks the snapshot, and it is as it was sealed",
        "upstream.ask": "answers that upstream is unchanged, and it is",
    },
}


# A snapshot without a record is kept and reported: if its record was not written, or if it was moved into the folder
# of another recipe.
KEPT = {
    ("nothing", "registry.commit"): [f"{OWN}/2 lies there"],
    ("elsewhere", "registry.commit"): [f"{OWN}/2 lies there"],
    ("elsewhere", "snapshots.move"): [f"{OTHER}/2 lies there"],
}


# The methods with which a trial changes something.
EFFECTS = {
    "checkout",
    "clear",
    "delete",
    "deploy",
    "load",
    "provide",
    "remove",
    "run",
    "save",
    "seal",
    "stop",
    "unpack",
}
