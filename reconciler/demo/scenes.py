"""The scenes of the story: each has a text, a command, and facts that must then be true."""

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import field, frozen

from reconciler.demo import facts
from reconciler.demo.facts import REASON, AfterScene
from reconciler.demo.fleet import damage, publish
from reconciler.demo.upstreams import BREAKING, GOOD, MENDED, MOVED


@frozen
class Scene:
    """A step of the story. It prints the text `before`, calls `happens` with the demo's folder, and runs `reconcile`.

    * `title`: the title of the step, which is printed first.
    * `words`: the arguments of `reconcile`.
    * `code`: the exit code that `reconcile` must have.
    * `means`: an explanation of this exit code for the reader of the story.
    * `facts`: returns sentences, each with whether it is true. All of them must be true.
    * `reads`: the path of a page of the app that is fetched while `reconcile` runs; "" for none.
    """

    title: str
    before: str
    words: tuple[str, ...]
    code: int
    means: str
    facts: Callable[[AfterScene], Mapping[str, bool]]
    happens: Callable[[Path], object] = field(default=lambda _: None)
    reads: str = ""


def _publish_breaking(folder: Path) -> None:
    """Publish the release of the recipe "ledger" that breaks old data and, on a branch, a fix of that release."""
    publish(folder, BREAKING)
    publish(folder, MENDED)


SCENES = (
    Scene(
        "What would be done",
        "Thirteen small web apps are published as git repositories with release tags. Canon is to keep, for each, the "
        "latest release that is known to be good, together with data that proves it: the canonical. So far there is "
        "none. A dry run only shows the plan.",
        ("--dry-run",),
        4,
        "a person must say which of the two tags of polls is meant",
        facts.first_dry_run,
    ),
    Scene(
        "A pass",
        "Each release is installed cold and used, upgraded from the release before it, backed up and restored. Its "
        "data is checked after every step. What passes is kept. This scene takes the longest.",
        (),
        1,
        "something could not be done: a tool that photos needs is not on this host",
        facts.first_pass,
    ),
    Scene(
        "The canonicals",
        "These are the canonicals. LEVEL is how many of the five tiers proved something. LINEAGE is which releases the "
        "data has lived through. Nobody wrote tests for the recipe status, so Canon only knows that it starts.",
        ("status",),
        0,
        "status shows what is recorded, and asks no upstream",
        facts.first_status,
    ),
    Scene(
        "A second pass",
        "Nothing was published since, so no release is tried again: no good one, and not paste, which was red. Canon "
        "only looks for the missing tool again.",
        (),
        1,
        "the tool is still missing",
        facts.second_pass,
    ),
    Scene(
        "A release is published",
        "The maintainers of notes publish 3.1.0, which moves all labels to a table of their own.",
        ("--dry-run",),
        4,
        "paste and polls still need a person; notes alone would be a 2",
        facts.dry_run_with_new_release,
        lambda folder: publish(folder, GOOD),
    ),
    Scene(
        "It is promoted, with the old data",
        "The pass raises a copy of the canonical, puts 3.1.0 over it, and checks the notes that 3.0.9 once wrote.",
        (),
        1,
        "the tool that photos needs is still missing",
        facts.upgrade_promoted,
    ),
    Scene(
        "It is green, and there is no way back",
        "Could one return to 3.0.10 without restoring a backup, after 3.1.0 has run? Canon tries it over copies of the "
        "sealed data: 3.1.0 writes one more note, then 3.0.10 is deployed over it. That is what `back` asks. A fleet "
        'that never gives up its way back declares `[ways] gates = ["back"]`: then 3.1.0 would not have been promoted.',
        ("-r", "notes", "--ways=back"),
        0,
        "a way that is closed is told; it holds nothing back, as notes declares no gate",
        facts.no_way_back,
    ),
    Scene(
        "A release that breaks old data",
        "The maintainers of ledger publish 1.2.0. Freshly installed it works. But it reads days as dates, and 1.0.0 "
        "kept them as people typed them.",
        ("-r", "ledger"),
        4,
        "a red release needs a person",
        facts.broken_upgrade_is_red,
        _publish_breaking,
    ),
    Scene(
        "What would change that",
        "`explain` says what to do about a recipe: here, nothing but a newer release, other tests or a second try will "
        "help. Below it is what Canon knows about each condition.",
        ("explain", "ledger"),
        0,
        "explain answers, and judges nothing",
        facts.red_explained,
    ),
    Scene(
        "The canonical is unchanged",
        "A copy of ledger's canonical runs for some seconds, and its entries are read over HTTP.",
        ("raise", "ledger", "--for", "4s"),
        0,
        "the copy started, and was stopped when its time was over",
        facts.ledger_served,
        reads="/entries",
    ),
    Scene(
        "A tag is moved",
        "Somebody moves the tag 1.5.0+2.1.0 of links to another commit. That is not what was tested.",
        ("drift", "-r", "links"),
        4,
        "only a person can say whether that was meant",
        facts.quarantined,
        lambda folder: publish(folder, MOVED),
    ),
    Scene(
        "A canonical is damaged",
        "A failing disk changes some bytes in the stored data of notes. `drift` says what differs, and which "
        "older generation is intact; it writes nothing.",
        ("drift", "-r", "notes"),
        3,
        "a canonical is damaged",
        facts.damage_named,
        lambda folder: damage(folder, "notes"),
    ),
    Scene(
        "It is repaired",
        "A pass tests the release again: upgraded from the newest generation that is intact, whose data goes on.",
        ("-r", "notes"),
        0,
        "all is well with notes",
        facts.repaired,
    ),
    Scene(
        "Its data can be seen",
        "A copy of the new canonical runs, and its notes are read.",
        ("raise", "notes", "--for", "4s"),
        0,
        "the copy started, and was stopped when its time was over",
        facts.notes_served,
        reads="/notes",
    ),
    Scene(
        "The records are audited",
        "`audit` believes no record, and shares no code with what promotes. It derives every claim anew: from the "
        "upstreams, the mirrors, the bytes of the snapshots, and the ledger. The tag that was moved and the damaged "
        "snapshot, which was kept to be looked at, are found by it too.",
        ("audit",),
        3,
        "two of the claims disagree with what is there",
        facts.audited,
    ),
    Scene(
        "A person goes back",
        "The members of the house miss the labels of notes on their telephones. Its release before still has a "
        "generation: it is deployed and checked, and then it is the canonical again, with the data that it had.",
        ("rollback", "notes", "--reason", REASON),
        0,
        "the older release is the canonical, and stays it until there is a newer one or `reconcile resume notes`",
        facts.rolled_back,
    ),
    Scene(
        "What happened to notes",
        "The ledger keeps every pass, trial, promotion and decision, with who or what did it. Each line has the hash "
        "of the line before.",
        ("history", "notes"),
        0,
        "history tells what happened, and judges nothing",
        facts.history_told,
    ),
    Scene(
        "A page for everybody",
        "All of this is on one page, also for those without a shell: what needs a person, why, what was tried, and "
        "how the data of each recipe came to be. It is one file, which loads nothing and runs no script.",
        ("report", "--html", "canon.html"),
        0,
        "the page was written; open canon.html in a browser",
        facts.page_written,
    ),
)
