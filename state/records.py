"""The values of what is recorded. Versions are texts here: their order is not this room's business."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen


@frozen
class Place:
    """Where a pass ran. `digest` is the place's fingerprint, `versions_digest` that of its tools.

    `unit` is the systemd unit that holds the process, empty outside one. `trigger` is timer, systemctl or shell.
    `variables` are the names handed on to children; `tools` maps each required tool to its version, "" if absent.
    """

    trigger: str
    unit: str
    user: str
    path: str
    variables: tuple[str, ...]
    tools: Mapping[str, str]
    digest: str
    versions_digest: str


@frozen
class TierRecord:
    """What one tier came to; `verdict` is pass, fail, skip or error."""

    name: str
    verdict: str
    reason: str
    seconds: float


@frozen
class BaseRecord:
    """The version an upgrade started from and why; `version` is None when there was no base."""

    version: str | None
    why: str


@frozen
class Evidence:
    """All that a promotion rests on. `tests` digests the recipe's fleet folder before the run.

    `canon` and `fleet` are the revisions of this program and of the declarations; `findings` are remarks
    that did not decide, such as processes which had to be ended; `log` is a path below the state folder.
    """

    trial: str
    pass_id: str
    started_at: datetime
    finished_at: datetime
    place: Place
    canon: str
    fleet: str
    tests: str
    level: str
    base: BaseRecord
    tiers: tuple[TierRecord, ...]
    log: str
    findings: tuple[str, ...] = ()


@frozen
class FileSeal:
    """How a sealed file looked to the file system when it was sealed; nanoseconds since the epoch."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@frozen
class Seal:
    """A snapshot as sealed: `manifest` is the hash of manifest.json, `files` the look of each sealed file.

    `bytes` counts the data before packing, `packed` the tar.
    """

    manifest: str
    files: Mapping[str, FileSeal]
    bytes: int
    packed: int
    entries: int


@frozen
class Damaged:
    """A snapshot that is not what was sealed, and how it differs."""

    reason: str


@frozen
class Canonical:
    """A release known to be good and the data that proves it. `lineage` ends with `version`."""

    recipe: str
    version: str
    commit: str
    generation: int
    lineage: tuple[str, ...]
    promoted_at: datetime
    evidence: Evidence
    seal: Seal


@frozen
class Answer:
    """Upstream's last complete answer. `tags` maps a tag to the commit it peels to, None for no commit."""

    digest: str
    branch: str
    head: str
    tags: Mapping[str, str | None]


@frozen
class KnownTag:
    """A release tag as first seen, or as a person accepted it."""

    commit: str
    first_seen: datetime


@frozen
class Circumstances:
    """What a verdict was given under; where all is equal again, trying again would tell nothing new."""

    commit: str
    tests: str
    canon: str
    place: str
    versions: str


@frozen
class Red:
    """A release that failed in a pass, remembered until its circumstances change."""

    version: str
    circumstances: Circumstances
    at: datetime
    trial: str
    reason: str


@frozen
class FoundDamage:
    """Damage of one generation that was found in using it, so that looking alone would not see it."""

    generation: int
    reason: str
    at: datetime


@frozen
class Memory:
    """What is remembered of one recipe; `answer` is None before the first complete answer.

    `known` holds release tags ever seen, also those that vanished since; `not_commits` maps tags that peel to no
    commit to the object they name; `reds` is keyed by version; `seconds` is how long the last trial took.
    `damage` is the last that was found in use, `older_damage` what was found of other generations before.
    `looks` is how the files of a generation looked when they were last hashed, by its number.
    """

    recipe: str
    answer: Answer | None = None
    answered_at: datetime | None = None
    known: Mapping[str, KnownTag] = field(factory=dict)
    not_commits: Mapping[str, str] = field(factory=dict)
    reds: Mapping[str, Red] = field(factory=dict)
    damage: FoundDamage | None = None
    last_trial: str | None = None
    last_trial_at: datetime | None = None
    seconds: float | None = None
    older_damage: tuple[FoundDamage, ...] = ()
    looks: Mapping[str, Mapping[str, FileSeal]] = field(factory=dict)


Parts = Mapping[str, Mapping[str, str]]
"""What a deployment is made of, each with what is known of it: fact to value."""


@frozen
class DeploymentRecord:
    """What became of a canonical that is to be kept running.

    `parts` is everything it was made of when it was raised. `missing` says why none of that
    is there, "" where it should be. `up_at` is when a pass last saw all of it up, None if none ever did.
    """

    generation: int
    parts: Parts
    up_at: datetime | None = None
    missing: str = ""


@frozen
class Intent:
    """A promotion begun and not yet finished. `op` is PASS:RECIPE:VERSION."""

    op: str
    recipe: str
    version: str
    commit: str
    generation: int
    begun_at: datetime


@frozen
class LedgerEntry:
    """One line of the ledger before it is written; `body` is plain JSON data."""

    at: datetime
    kind: str
    recipe: str
    body: Mapping[str, object]


@frozen
class Records:
    """All records of the state folder, read at one instant.

    `generations` holds each recipe's greatest generation ever recorded, also of recipes since forgotten.
    `copied` says that a dead pass left its journal behind and that a private copy was read. `unreadable` says by recipe
    why a row of it is not what was written: of such a recipe nothing else is told.
    """

    canonicals: Mapping[str, Canonical] = field(factory=dict)
    memories: Mapping[str, Memory] = field(factory=dict)
    intents: tuple[Intent, ...] = ()
    generations: Mapping[str, int] = field(factory=dict)
    copied: bool = False
    unreadable: Mapping[str, str] = field(factory=dict)
