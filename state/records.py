"""The values that are recorded. Versions are plain texts here; desired.versions orders them."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen


@frozen
class Place:
    """Where a pass ran. `digest` is the digest of unit, user, path, variables and which tools are there.

    `versions_digest` is the digest of `tools`. `path` is the PATH of child processes.
    `unit` is the systemd unit of the process, "" outside of one. `trigger` is timer, systemctl or shell.
    `variables` are the names passed on to child processes; `tools` maps each tool to a fingerprint, "" if absent.
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
    """The result of one tier; `verdict` is pass, fail, skip or error."""

    name: str
    verdict: str
    reason: str
    seconds: float


@frozen
class BaseRecord:
    """The version that an upgrade started from, and why; `version` is None where there was no base."""

    version: str | None
    why: str


@frozen
class Evidence:
    """The evidence for a promotion. `tests` is the digest of all that the verdicts depended on beside the release.

    `canon` and `fleet` are the revisions of this program and of the declarations. `findings` are remarks without
    effect on the result, such as processes that had to be killed. `log` is a path below the state folder.
    `trial` is the id of the trial. `level` is how many tiers passed out of those that apply, as "3/4".
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
    """The inode, size and times of a file when it was sealed; times are in nanoseconds since the epoch."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@frozen
class Seal:
    """A snapshot as it was sealed: `manifest` is the hash of manifest.json, `files` the seal of each file.

    `bytes` is the size of the data before packing, `packed` the size of the tar; `entries` counts the paths in the tar.
    """

    manifest: str
    files: Mapping[str, FileSeal]
    bytes: int
    packed: int
    entries: int


@frozen
class Damaged:
    """Something stored is not what was written; `reason` says how it differs."""

    reason: str


@frozen
class Canonical:
    """A release that passed its trial, and the seal of its data. `lineage` lists the versions up to `version`."""

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
    """The last complete answer of upstream. `tags` maps a tag to the commit that it points to, None for no commit.

    `digest` is the hash of the answer. `branch` is the main branch, `head` its commit; both are "" if HEAD names none.
    """

    digest: str
    branch: str
    head: str
    tags: Mapping[str, str | None]


@frozen
class KnownTag:
    """The commit of a release tag as it was first seen, or as a person accepted it."""

    commit: str
    first_seen: datetime


@frozen
class Circumstances:
    """The inputs of a verdict. While all of them are equal, another trial would give the same result.

    `commit` is that of the release, `tests` the digest of all else that verdicts depend on,
    `canon` the revision of this program. `place` is the `digest` of a Place, `versions` its `versions_digest`.
    """

    commit: str
    tests: str
    canon: str
    place: str
    versions: str


@frozen
class Red:
    """A release that failed its trial. It counts until its circumstances change."""

    version: str
    circumstances: Circumstances
    at: datetime
    trial: str
    reason: str


@frozen
class FoundDamage:
    """Damage of one generation that was found while using it; a check of the files may not find it."""

    generation: int
    reason: str
    at: datetime


@frozen
class Memory:
    """What is remembered of one recipe; `answer` is None before the first complete answer.

    `known` holds all release tags ever seen, also deleted ones. `not_commits` maps tags that point to no commit to the
    object that they name. `reds` is keyed by version. `seconds` is the duration of the last trial. `damage` is the last
    damage found in use, `older_damage` the damage of other generations found before. `looks` maps the number of a
    generation to the seals of its files when they were last hashed.
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
"""The parts of a deployment by name, each with its facts and their values."""


@frozen
class DeploymentRecord:
    """The deployment of a canonical that is kept running.

    `parts` are all parts that were deployed. `up_at` is the last time when a pass found all of them up, None for never.
    `missing` is the reason why the canonical is not deployed, "" if it was deployed.
    """

    generation: int
    parts: Parts
    up_at: datetime | None = None
    missing: str = ""


@frozen
class Intent:
    """A promotion that began and is not finished. `op` is PASS:RECIPE:VERSION."""

    op: str
    recipe: str
    version: str
    commit: str
    generation: int
    begun_at: datetime


@frozen
class LedgerEntry:
    """One entry for the ledger; `body` is plain JSON data."""

    at: datetime
    kind: str
    recipe: str
    body: Mapping[str, object]


@frozen
class Records:
    """All records of the state folder, read in one transaction.

    `generations` has the greatest generation of each recipe, also of forgotten ones. `copied` is True where a killed
    pass left its journal, so that a private copy was read. `unreadable` maps a recipe to the reason why its rows cannot
    be read; all other fields leave such a recipe out.
    """

    canonicals: Mapping[str, Canonical] = field(factory=dict)
    memories: Mapping[str, Memory] = field(factory=dict)
    intents: tuple[Intent, ...] = ()
    generations: Mapping[str, int] = field(factory=dict)
    copied: bool = False
    unreadable: Mapping[str, str] = field(factory=dict)
