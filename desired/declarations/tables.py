"""The tables of `recipe.toml`: every key with its kind and its description.

None means that the key is not given. A name that is a keyword of Python ends in "_" here. Tables are not compared or
printed: without these methods attrs makes the classes in half of the time, and every command loads them.
"""

# ruff: noqa: RUF009  # key and table make attrs' fields
from collections.abc import Mapping
from datetime import date
from typing import Any

from attrs import field, frozen

from desired.declarations.values import (
    AllowRange,
    Argument,
    Base,
    Command,
    Count,
    DriftWord,
    DriverName,
    Duration,
    EnvName,
    HttpPath,
    Line,
    NeverSkipped,
    OlderReleases,
    OnlyTrue,
    OverlayName,
    RecipeName,
    SecretName,
    StatusCodes,
    ToolName,
    UpstreamName,
    WayWord,
)
from desired.model import DataPolicy, Keep


def key(description: str, *, required: bool = False) -> Any:  # noqa: ANN401  # as attrs' own field
    """Return the attrs field of a key. Its default is None, which means that the key is not given.

    The value that counts then is only in desired.model. `description` is shown by editors. `required` says in the JSON
    schema that the key must be given.
    """
    return field(default=None, metadata={"description": description, "required": required})


def table(made: type, description: str = "") -> Any:  # noqa: ANN401  # as attrs' own field
    """Return the attrs field of a table of the class `made`.

    `description` is shown by editors; without it they show the docstring of the class.
    """
    return field(factory=made, metadata={"description": description} if description else {})


@frozen(eq=False, repr=False)
class RecipeTable:
    """Where the recipe is published, how it runs, and whether Canon keeps a canonical of it."""

    upstream: UpstreamName | None = key("Where the recipe's repository is published. Needed here or in the defaults.")
    driver: DriverName | None = key("How the recipe runs.")
    enrolled: bool | None = key("Whether the recipe gets a canonical; false needs `exception`.")
    exception: Line | None = key("Why the recipe is not enrolled.")
    review: date | None = key("The day to reconsider the exception.")
    requires: tuple[ToolName, ...] | None = key("Programs that the trial needs; checked before a deploy.")


@frozen(eq=False, repr=False)
class ReleaseTable:
    """Which release tags Canon considers: a range of versions."""

    allow: AllowRange | None = key('A range on x.y.z such as ">=2.0.0,<4"; "*" allows all.')
    minimum_age: Duration | None = key("How long ago a pass must have seen a release first, for it to be tried.")
    signed: bool | None = key("Whether a release's tag must be signed by a key in the fleet's folder keys.")


@frozen(eq=False, repr=False)
class InstallTable:
    """How a fresh data set is made."""

    env: Mapping[EnvName, Argument] | None = key("Settings of the app; they override the recipe's .env.sample.")
    secrets: Mapping[SecretName, Command] | None = key(
        "Commands that print a secret, by the secret's name; for secrets that need more than a length."
    )
    overlays: tuple[OverlayName, ...] | None = key(
        "Files of the recipe's fleet folder, merged over its own compose files; only for a Swarm."
    )
    steps: tuple[Command, ...] | None = key(
        "Commands that run after the first deploy of a data set, never on data from a snapshot."
    )
    needs: tuple[RecipeName, ...] | None = key("Recipes that are deployed first, in the same slot.")


@frozen(eq=False, repr=False)
class ReadyTable:
    """When the app counts as ready: one of `http`, `tcp` and `run`."""

    http: HttpPath | None = key("This path answers with one of `status`.")
    tcp: OnlyTrue | None = key("The app's port accepts a connection.")
    run: Command | None = key("This command ends with 0.")
    status: StatusCodes | None = key("The HTTP codes that count as an answer to `http`.")
    timeout: Duration | None = key(
        "How long the app may take to become ready. The default is the release's own label coop-cloud.STACK.timeout, "
        "else 10m."
    )
    stable: Duration | None = key(
        "How long a ready app has to stay up, once in each trial; the time of its checks counts."
    )


@frozen(eq=False, repr=False)
class StopTable:
    """How the app is stopped."""

    grace: Duration | None = key(
        "How long an app may take to end after SIGTERM before it is killed; only for a process recipe. "
        "On a Swarm stop_grace_period in the compose files sets this.",
    )


@frozen(eq=False, repr=False)
class DataTable:
    """Commands that prove that an app still has its data: `mark` writes something, `check` looks for it."""

    mark: Command | None = key("Writes something through the app; needs `check`.")
    check: Command | None = key("Proves that the data is there, including what `mark` wrote.")


@frozen(eq=False, repr=False)
class BackupTable:
    """Commands that write and restore a backup. Give both or none; without [data] check a restore proves nothing."""

    take: Command | None = key("Writes a backup to $BACKUP_DIR.")
    restore: Command | None = key("Restores a backup from $BACKUP_DIR.")


@frozen(eq=False, repr=False)
class UpgradeTable:
    """The version that an upgrade starts from."""

    base: Base | None = key('"canonical", or a pinned version, which needs `reason`.')
    reason: Line | None = key("Why the base is pinned.")
    also: tuple[OlderReleases, ...] | None = key(
        'Versions such as "3.4.1", or ranges such as ">=3.2,<3.4" (the newest release of each), from which the way '
        '"leap" upgrades too: what servers still run.'
    )


@frozen(eq=False, repr=False)
class TiersTable:
    """Tiers that are left out, each with the reason."""

    install: NeverSkipped | None = key("The install cannot be left out.")
    upgrade: Line | None = key("Why no upgrade is tried.")
    backup: Line | None = key("Why no backup is tried.")
    restore: Line | None = key("Why no restore is tried.")
    custom: Line | None = key("Why the recipe's own tests are not run.")


@frozen(eq=False, repr=False)
class CustomTable:
    """The recipe's own tests."""

    run: tuple[Command, ...] | None = key("Commands that run in order; each must end with 0.")
    timeout: Duration | None = key("How long all of them may take.")


@frozen(eq=False, repr=False)
class CanonicalTable:
    """How a canonical is kept."""

    keep: Keep | None = key(
        'Whether a canonical is only stored ("rest"), or kept running as well ("running", only on a Swarm).'
    )
    data: DataPolicy | None = key(
        'Keep the data that went through the upgrades ("carried"), or that of a fresh install ("fresh").'
    )
    generations: Count | None = key("How many generations are kept.")


@frozen(eq=False, repr=False)
class DriftTable:
    """Differences that `reconcile drift` shows, but does not count until a day."""

    ignore: tuple[DriftWord, ...] | None = key('Words of differences, such as "down"; needs `reason` and `until`.')
    reason: Line | None = key("Why they are ignored.")
    until: date | None = key("The day (UTC) from which they count again.")


@frozen(eq=False, repr=False)
class WaysTable:
    """What is tried of a release beside the tiers of its trial: the results of `run` change nothing."""

    run: tuple[WayWord, ...] | None = key(
        '"back": the older release over the data of the newer one; "stop": how the release ends, and whether its data '
        'comes up again after a kill; "leap": the release over the data of several older ones; "fall": the release is '
        "killed while it first starts on older data."
    )
    gates: tuple[WayWord, ...] | None = key(
        "Ways that are tried before a release is promoted. It is not promoted if one of them is closed or cannot be "
        "proved; needs `[data] check`."
    )


@frozen(eq=False, repr=False)
class RecipeFile:
    """The tables of a `recipe.toml`. The `[defaults]` of `fleet.toml` have the same tables."""

    recipe: RecipeTable = table(RecipeTable)
    release: ReleaseTable = table(ReleaseTable)
    install: InstallTable = table(InstallTable)
    ready: ReadyTable = table(ReadyTable)
    stop: StopTable = table(StopTable)
    data: DataTable = table(DataTable)
    backup: BackupTable = table(BackupTable)
    upgrade: UpgradeTable = table(UpgradeTable)
    tiers: TiersTable = table(TiersTable)
    custom: CustomTable = table(CustomTable)
    canonical: CanonicalTable = table(CanonicalTable)
    drift: DriftTable = table(DriftTable)
    ways: WaysTable = table(WaysTable)


def toml_key(name: str) -> str:
    """Return the key in a TOML file for an attribute of these classes: its name, without "_" at the end."""
    return name.removesuffix("_")
