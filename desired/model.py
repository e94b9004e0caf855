"""The values of what should be: the fleet's declarations, releases and wants."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen


class TierName(StrEnum):
    """The tiers of a trial, in their order."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    BACKUP = "backup"
    RESTORE = "restore"
    CUSTOM = "custom"


class DataPolicy(StrEnum):
    """Which data a promotion keeps: what has lived through upgrades, or a fresh install's."""

    CARRIED = "carried"
    FRESH = "fresh"


class Keep(StrEnum):
    """Whether a canonical rests, or a deployment of it is kept running beside its snapshot."""

    REST = "rest"
    RUNNING = "running"


Argv = tuple[str, ...]
PROTOCOLS = ("https", "ssh")
"""The protocols of upstreams that a fleet allows where it names none."""


@frozen
class Install:
    """How a fresh data set is made. `secrets` maps a secret's name to the command that prints it.

    `overlays` are files of the recipe's fleet folder, laid over its own compose files in this order.
    """

    env: Mapping[str, str] = field(factory=dict)
    secrets: Mapping[str, Argv] = field(factory=dict)
    overlays: tuple[str, ...] = ()
    steps: tuple[Argv, ...] = ()
    needs: tuple[str, ...] = ()


# How long an app may take to be ready where neither its declaration nor its release says so.
USUAL_TIMEOUT = timedelta(minutes=10)


@frozen
class Ready:
    """When an app counts as ready: exactly one of `http` (a path), `tcp` or `run` is in force.

    `timeout` is how long that may take, None where nothing is declared.
    `stable` is how long it then has to stay up before its data is saved.
    """

    http: str | None = "/"
    tcp: bool = False
    run: Argv | None = None
    status: tuple[int, ...] = (200,)
    timeout: timedelta | None = None
    stable: timedelta = timedelta(seconds=30)

    def within(self, released: timedelta | None = None) -> timedelta:
        """How long it may take; `released` is what the release itself says of that, None for nothing."""
        return self.timeout or released or USUAL_TIMEOUT


@frozen
class Stop:
    """How an app is stopped: `grace` is the time from SIGTERM to SIGKILL."""

    grace: timedelta = timedelta(minutes=2)


@frozen
class Data:
    """Commands that write something through the app and prove later that it is still there."""

    mark: Argv | None = None
    check: Argv | None = None


@frozen
class Backup:
    """Commands that write a backup to `$BACKUP_DIR` and bring it back from there."""

    take: Argv | None = None
    restore: Argv | None = None


@frozen
class Upgrade:
    """Where an upgrade starts: "canonical", or a pinned version with the reason for the pin."""

    base: str = "canonical"
    reason: str = ""


@frozen
class Custom:
    """The recipe's own tests, run in order."""

    run: tuple[Argv, ...] = ()
    timeout: timedelta = timedelta(minutes=10)


@frozen
class CanonicalPolicy:
    """What is kept of a canonical: whether it runs, its data's origin, and how many generations of it."""

    keep: Keep = Keep.REST
    data: DataPolicy = DataPolicy.CARRIED
    generations: int = 2


@frozen
class Recipe:
    """One declared recipe. `exception` says why it is not enrolled; `allow` is a range on x.y.z, or "*".

    `folder` holds the recipe's tests; `tiers` maps a tier that is left out to the written reason.
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
    install: Install = field(factory=Install)
    ready: Ready = field(factory=Ready)
    stop: Stop = field(factory=Stop)
    data: Data = field(factory=Data)
    backup: Backup = field(factory=Backup)
    upgrade: Upgrade = field(factory=Upgrade)
    tiers: Mapping[TierName, str] = field(factory=dict)
    custom: Custom = field(factory=Custom)
    canonical: CanonicalPolicy = field(factory=CanonicalPolicy)


@frozen
class Swarm:
    """How apps on a Swarm are named and reached: each at NAME.`zone`.

    `proxy` is the URL of what routes to them by that name; None where each publishes a port for a while.
    """

    zone: str = "localhost"
    proxy: str | None = None


@frozen
class Fleet:
    """All declarations of one folder; `recipes` is ordered by name.

    `unit` names the systemd unit in which alone a pass may promote; empty means anywhere.
    `passes` are names of environment variables that children get beside the allow-list.
    """

    name: str
    folder: Path
    recipes: Mapping[str, Recipe]
    protocols: tuple[str, ...] = PROTOCOLS
    unit: str = ""
    passes: tuple[str, ...] = ()
    swarm: Swarm = field(factory=Swarm)


@frozen
class Version:
    """A release tag's text and the key that orders it: never ordered by text."""

    text: str
    key: tuple[int, int, int, tuple[tuple[int, int], ...]]


@frozen
class Release:
    """A version tag and the commit it peels to."""

    version: str
    commit: str


@frozen
class NeverReleased:
    """No tag of the recipe is a release that its policy allows."""


@frozen
class AmbiguousVersion:
    """The greatest version is named by several tags on different commits."""

    tags: tuple[str, ...]


@frozen
class Unobservable:
    """Upstream could not be seen; never the same as having no tags."""

    reason: str


Want = Release | NeverReleased | AmbiguousVersion | Unobservable
