"""The values that are recorded. Versions are plain texts here; `desired.versions` orders them."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from state.decisions import Hold, Rollback
from state.disk_use import DiskUse
from state.drift_record import DriftRecord


@frozen
class Place:
    """Where a pass ran. `trigger` is what started the pass: timer, systemctl or shell. `unit`: its systemd unit, or "".

    * `path`: the PATH of child processes. `variables`: the names of the variables that child processes get.
    * `tools`: for each tool, a fingerprint of its version; "" for a missing tool. `versions_digest` covers these.
    * `digest`: covers unit, user, path, variables and the names of the present tools.
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
    """The result of one tier. `verdict` is pass, fail, skip or error, and `reason` says why."""

    name: str
    verdict: str
    reason: str
    seconds: float


@frozen
class BaseRecord:
    """The base of an upgrade: `version` is its release, None if there is no base. `why` says why it was chosen."""

    version: str | None
    why: str


@frozen
class Evidence:
    """The evidence for a promotion: what is recorded of the trial `trial` (an id), in the pass `pass_id` (an id).

    * `canon`, `fleet`: the revisions of this program and of the fleet folder.
    * `tests`: the digest of all that the verdicts depended on, besides the release.
    * `level`: how many tiers passed, such as "3/4". `findings`: remarks without effect on the result.
    * `log`: the folder of the trial's logs, relative to the state folder.
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
    """The inode, size and times of a file when it was sealed. Times are in nanoseconds since the epoch."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@frozen
class Seal:
    """A snapshot as it was sealed. `manifest` is the hash of manifest.json. `files` maps each file's name to its seal.

    `bytes` is the size of the data in bytes, `packed` the size of the compressed tar. `entries` is the number of paths.
    """

    manifest: str
    files: Mapping[str, FileSeal]
    bytes: int
    packed: int
    entries: int


@frozen
class Damaged:
    """What is returned for a stored file or snapshot that is not what was written. `reason` says how it differs."""

    reason: str


@frozen
class Canonical:
    """A promoted release, its evidence, the releases that ran on its data (`lineage`), and the seal of its snapshot.

    If a rollback made this canonical, `copy_of` is the older generation from which everything was copied, and
    `promoted_at` is the time of the rollback. If a promotion made it, `copy_of` is None.
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
    """A complete answer of upstream about its tags. `tags` maps each tag to its commit; None if it names no commit.

    `digest` has one digest, or several of different forms of the answer, separated by blanks. `branch` is the main
    branch and `head` its commit; both are "" if there is none.
    """

    digest: str
    branch: str
    head: str
    tags: Mapping[str, str | None]


@frozen
class KnownTag:
    """The commit of a release tag: the first one seen, or one that a person accepted, at the time `first_seen`."""

    commit: str
    first_seen: datetime


@frozen
class Circumstances:
    """Everything that a verdict depends on. While none of it changes, another trial would give the same result.

    `commit` is the release's commit. `tests` is the digest of the declarations and fleet folders of the recipe and its
    needs. `canon` is this program's revision. `place` is a Place's `digest`, and `versions` its `versions_digest`.
    """

    commit: str
    tests: str
    canon: str
    place: str
    versions: str


@frozen
class Red:
    """A trial after which its release was not promoted, and is not tried again until its circumstances change."""

    version: str
    circumstances: Circumstances
    at: datetime
    trial: str
    reason: str


@frozen
class FoundDamage:
    """Damage of a generation that showed when its snapshot was deployed, although its files may be as sealed."""

    generation: int
    reason: str
    at: datetime


@frozen
class Memory:
    """What is remembered of one recipe; None for what is not known yet. `answer` is upstream's last complete answer.

    * `known`: all release tags ever seen, also deleted ones. `not_commits`: the object ids of tags without a commit.
    * `reds`: failed trials, by version. `last_trial`: the id of the last trial. `seconds`: how long it took.
    * `damage`: the damage that was found last. `older_damage`: the damage of other generations.
    * `looks`: for each generation, the seals that its files had when they were last hashed.
    * `peaks`: how much of the disk each of the last trials took at most.
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
    """The record that a promotion or rollback has begun, and has not ended. `op` is an id: PASS:RECIPE:VERSION.

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
    """What a line of the ledger says. `kind` is what it is about, such as "trial". `body` is plain JSON data."""

    at: datetime
    kind: str
    recipe: str
    body: Mapping[str, object]


@frozen
class Records:
    """All records of the state folder, read in one transaction.

    `generations` has the greatest generation of each recipe, also of forgotten recipes. `copied` is True if a private
    copy was read, because a killed pass left a journal. `unreadable` maps each recipe that is left out to the reason.
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
