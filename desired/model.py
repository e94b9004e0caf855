"""The values of the desired state: what a fleet declares."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from desired.drift_ignore import DriftIgnore
from desired.mirror import Mirror
from desired.notify import Notify


class TierName(StrEnum):
    """The tiers (parts) of a trial, in the order in which they run."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    BACKUP = "backup"
    RESTORE = "restore"
    CUSTOM = "custom"


class WayName(StrEnum):
    """What is tried of a release beside its tiers.

    * BACK: the older release is deployed over data of the newer one.
    * STOP: the release is stopped by SIGTERM, and later killed. After each, it has to come up again with its data.
    * LEAP: the release is deployed over the data of several older releases.
    * FALL: the release is killed while it first starts on older data.
    """

    BACK = "back"
    STOP = "stop"
    LEAP = "leap"
    FALL = "fall"


class DataPolicy(StrEnum):
    """Which data a canonical gets. CARRIED: the data that went through the upgrade. FRESH: that of a fresh install."""

    CARRIED = "carried"
    FRESH = "fresh"


class Keep(StrEnum):
    """How a canonical is kept. REST: as a snapshot only. RUNNING: it is deployed and kept running as well."""

    REST = "rest"
    RUNNING = "running"


Argv = tuple[str, ...]
PROTOCOLS = ("https", "ssh")
"""The protocols of upstreams that a fleet allows if it names none."""


@frozen
class Install:
    """How a recipe is deployed, and how its fresh data is made.

    * `env`: settings that override the `.env.sample`. `secrets`: the command that prints each secret, by its name.
    * `overlays`: files of the recipe's fleet folder, merged over its compose files in this order.
    * `steps`: commands that run once, after the first deploy, on fresh data.
    * `needs`: the names of recipes that are deployed before this one.
    """

    env: Mapping[str, str] = field(factory=dict)
    secrets: Mapping[str, Argv] = field(factory=dict)
    overlays: tuple[str, ...] = ()
    steps: tuple[Argv, ...] = ()
    needs: tuple[str, ...] = ()


# How long an app may take to become ready if neither its declaration nor its release has a time.
USUAL_TIMEOUT = timedelta(minutes=10)


@frozen
class Ready:
    """When an app counts as ready. Exactly one of `http` (a path), `tcp` and `run` (a command) is set.

    * `status`: the HTTP codes of a ready app.
    * `timeout`: how long the app may take to become ready; None if this is not declared.
    * `stable`: how long the ready app must stay up before its data is saved.
    """

    http: str | None = "/"
    tcp: bool = False
    run: Argv | None = None
    status: tuple[int, ...] = (200,)
    timeout: timedelta | None = None
    stable: timedelta = timedelta(seconds=30)

    def within(self, release_timeout: timedelta | None = None) -> timedelta:
        """Return how long the app may take to become ready.

        This is the declared `timeout`, else `release_timeout`, which the release itself declares, else USUAL_TIMEOUT.
        """
        return self.timeout or release_timeout or USUAL_TIMEOUT


@frozen
class Stop:
    """How an app is stopped. `grace` is how long it may take to end after SIGTERM before it is killed."""

    grace: timedelta = timedelta(minutes=2)


@frozen
class Data:
    """Commands that prove that data is kept: `mark` writes something, `check` finds it later. None: not declared."""

    mark: Argv | None = None
    check: Argv | None = None


@frozen
class Backup:
    """The commands for backups: `take` writes one to `$BACKUP_DIR`, `restore` restores it. None: not declared."""

    take: Argv | None = None
    restore: Argv | None = None


@frozen
class Upgrade:
    """The version from which an upgrade starts: "canonical", or a pinned version with the reason for the pin.

    `also` are versions, or ranges of versions, from which the way `leap` upgrades too.
    """

    base: str = "canonical"
    reason: str = ""
    also: tuple[str, ...] = ()


@frozen
class Custom:
    """The recipe's own tests. `run` are commands that run in order. `timeout` is how long all of them may take."""

    run: tuple[Argv, ...] = ()
    timeout: timedelta = timedelta(minutes=10)


@frozen
class CanonicalPolicy:
    """How a canonical is kept: running or not, with which data, and how many generations."""

    keep: Keep = Keep.REST
    data: DataPolicy = DataPolicy.CARRIED
    generations: int = 2


@frozen
class Ways:
    """The ways that are tried of a release. `run` are tried of the canonical, and have no effect on promotions.

    `gates` are tried of the candidate, which is promoted only if all of them are open.
    """

    run: tuple[WayName, ...] = ()
    gates: tuple[WayName, ...] = ()


@frozen
class Recipe:
    """One declared recipe.

    * `folder`: its fleet folder, with its declaration and tests. `requires`: the programs that a trial needs.
    * `enrolled`: True if it gets a canonical. `exception`: why it gets none. `review`: the day to reconsider that.
    * `allow`: the range of allowed versions, on x.y.z; "*" for all. `tiers`: the reason for each tier that is left out.
    * `minimum_age`: how long a release must be known before it is tried.
    * `signed`: True if a release is tried only if its tag is signed by a key of the fleet.
    """

    name: str
    upstream: str
    folder: Path
    driver: str = "process"
    enrolled: bool = True
    exception: str = ""
    review: date | None = None
    requires: tuple[str, ...] = ()
    allow: str = "*"
    minimum_age: timedelta = timedelta()
    signed: bool = False
    install: Install = field(factory=Install)
    ready: Ready = field(factory=Ready)
    stop: Stop = field(factory=Stop)
    data: Data = field(factory=Data)
    backup: Backup = field(factory=Backup)
    upgrade: Upgrade = field(factory=Upgrade)
    tiers: Mapping[TierName, str] = field(factory=dict)
    custom: Custom = field(factory=Custom)
    canonical: CanonicalPolicy = field(factory=CanonicalPolicy)
    drift: DriftIgnore = field(factory=DriftIgnore)
    ways: Ways = field(factory=Ways)


@frozen
class Swarm:
    """How apps on a Swarm are named and reached: each has the domain NAME.`zone`.

    `proxy` is the URL of the proxy that routes to apps by domain; None if each app publishes a port instead.
    """

    zone: str = "localhost"
    proxy: str | None = None


@frozen
class Fleet:
    """All declarations of one fleet folder; `recipes` is ordered by name.

    * `protocols`: those that the addresses of upstreams may use. `sign`: the key that signs evidence; "" for none.
    * `unit`: the only systemd unit in which a pass may promote; "" for anywhere.
    * `stale`: how old the last pass over the whole fleet may be; None for any age.
    * `passes`: the names of variables that child processes get from the environment, besides PATH and a few others.
    * `parallel`: how many recipes a pass may try at once; None for what the host bears. `trials`: how many a pass may
      try in all; None for any number. `disk`: how many bytes of the disk trials may take; None for any number.
    * `images`: "prune" if container images that nothing needs any more are removed; else "keep".
    * `ways`: how long a pass may try ways after its steps; None for any time.
    """

    name: str
    folder: Path
    recipes: Mapping[str, Recipe]
    protocols: tuple[str, ...] = PROTOCOLS
    unit: str = ""
    sign: str = ""
    stale: timedelta | None = None
    passes: tuple[str, ...] = ()
    swarm: Swarm = field(factory=Swarm)
    parallel: int | None = None
    trials: int | None = None
    disk: int | None = None
    images: str = "keep"
    ways: timedelta | None = None
    mirror: Mirror = field(factory=Mirror)
    notify: Notify = field(factory=Notify)
