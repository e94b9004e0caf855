"""The values that are recorded. A version is a plain text here; desired.versions orders versions."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from state.decisions import Hold, Rollback
from state.disk_use import DiskUse
from state.drift_record import DriftRecord


@frozen
class Place:
    """Where a pass ran. `trigger` is what started it: timer, systemctl or shell.

    `unit` is the systemd unit of the process, "" outside of one; `user` is its user. `path` is the PATH of child
    processes. `variables` are names that are passed on to them. `tools` maps each tool to a fingerprint of its version,
    "" if it is missing. `digest` is a hash of unit, user, path, variables and the names of present tools;
    `versions_digest` of `tools`.
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
    """The result of one tier; `verdict` is pass, fail, skip or error, and `reason` says why."""

    name: str
    verdict: str
    reason: str
    seconds: float


@frozen
class BaseRecord:
    """The version from which an upgrade started, None if there was no base. `why` is the reason for this choice."""

    version: str | None
    why: str


@frozen
class Evidence:
    """The evidence for a promotion. `trial` is the id of the trial, and `pass_id` that of the pass.

    `canon` and `fleet` are the revisions of this program and of the fleet folder. `tests` is the digest of all that the
    verdicts depended on, besides the release. `level` is how many tiers passed, out of those that apply, such as "3/4".
    `log` is the folder of the trial's logs, relative to the state folder. `findings` are remarks without effect on the
    result.
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
    """The inode, size and times of a file when it was sealed. The times are in nanoseconds since the epoch."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@frozen
class Seal:
    """A snapshot as it was sealed. `manifest` is the hash of manifest.json, `files` maps each file's name to its seal.

    `bytes` is the size of the data before packing, `packed` that of the file with the tar, `entries` counts the paths.
    """

    manifest: str
    files: Mapping[str, FileSeal]
    bytes: int
    packed: int
    entries: int


@frozen
class Damaged:
    """A stored file or snapshot is not what was written; `reason` says how it differs."""

    reason: str


@frozen
class Canonical:
    """A promoted release, with its evidence, the versions that ran on its data (`lineage`), and the data's seal.

    After a rollback, `copy_of` is the older generation from which release, evidence and data were copied, and
    `promoted_at` is the time of the rollback. `copy_of` is None for a canonical that was promoted.
    """

    recipe: str
    version: str
    commit: str
    generation: int
    lineage: tuple[str, ...]
    promoted_at: datetime
    evidence: Evidence
    seal: Seal
    copy_of: int | None = None


@frozen
class Answer:
    """The last complete answer of upstream. `tags` maps each tag to its commit, None if it names no commit.

    `digest` has one or more digests of the answer, separated by blanks. `branch` is the main branch and `head` its
    commit; both are "" if there is none.
    """

    digest: str
    branch: str
    head: str
    tags: Mapping[str, str | None]


@frozen
class KnownTag:
    """The commit of a release tag when the tag was first seen, or that a person accepted later."""

    commit: str
    first_seen: datetime


@frozen
class Circumstances:
    """All that a verdict depends on. While nothing of it changes, another trial would give the same result.

    `commit` is the commit of the release. `tests` is the digest of the declarations, fleet folders and needs. `canon`
    is the revision of this program. `place` is the `digest` of the Place, and `versions` its `versions_digest`.
    """

    commit: str
    tests: str
    canon: str
    place: str
    versions: str


@frozen
class Red:
    """A release that failed its trial. It is not tried again until its circumstances change."""

    version: str
    circumstances: Circumstances
    at: datetime
    trial: str
    reason: str


@frozen
class FoundDamage:
    """Damage of one generation that showed when its snapshot was deployed. Its files may still be as sealed."""

    generation: int
    reason: str
    at: datetime


@frozen
class Memory:
    """What is remembered of one recipe; `answer` is None before the first complete answer.

    `known` has all release tags that were ever seen, also deleted ones. `not_commits` maps each tag that names no
    commit to the id of its object. `reds` are by version. `seconds` is the duration of the last trial. `damage` is the
    last found damage, and `older_damage` that of other generations. `looks` maps the number of a generation to the
    seals of its files when they were last hashed. `peaks` is what the last trials took of the disk, the newest first.
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
    peaks: tuple[DiskUse, ...] = ()


@frozen
class Intent:
    """The record that a promotion or a rollback has begun and not ended. `op` names it: PASS:RECIPE:VERSION.

    `copy_of` is the generation to which a rollback goes back; None for a promotion.
    """

    op: str
    recipe: str
    version: str
    commit: str
    generation: int
    begun_at: datetime
    copy_of: int | None = None


@frozen
class LedgerEntry:
    """One entry for the ledger. `kind` says what it is about, such as "trial"; `body` is plain JSON data."""

    at: datetime
    kind: str
    recipe: str
    body: Mapping[str, object]


@frozen
class Records:
    """All records of the state folder, read in one transaction.

    `generations` has the greatest generation of each recipe, also of forgotten ones. `copied` is True if a private copy
    was read, since a killed pass left a journal. `unreadable` maps recipes that are left out here to why they are
    unreadable.
    """

    canonicals: Mapping[str, Canonical] = field(factory=dict)
    memories: Mapping[str, Memory] = field(factory=dict)
    intents: tuple[Intent, ...] = ()
    generations: Mapping[str, int] = field(factory=dict)
    copied: bool = False
    unreadable: Mapping[str, str] = field(factory=dict)
    holds: Mapping[str, Hold] = field(factory=dict)
    rollbacks: Mapping[str, Rollback] = field(factory=dict)
    drift: Mapping[str, DriftRecord] = field(factory=dict)
