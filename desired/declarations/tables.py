"""The tables of `fleet.toml` and `recipe.toml` as they are written: every key, its kind and what it says.

None means that the key is not given. A name that Python keeps for itself ends in "_" here.
"""

# ruff: noqa: RUF009  # _key and _table make attrs' fields
from collections.abc import Mapping
from datetime import date
from typing import Any

from attrs import field, frozen

from desired.declarations.values import (
    AllowRange,
    Argument,
    Base,
    Command,
    DriverName,
    Duration,
    EnvName,
    Format,
    Generations,
    HttpPath,
    Line,
    NeverSkipped,
    OnlyTrue,
    OverlayName,
    PassedName,
    Protocol,
    Proxy,
    RecipeName,
    SecretName,
    StatusCodes,
    ToolName,
    UnitName,
    UpstreamName,
    Zone,
)
from desired.model import DataPolicy, Keep


def _key(says: str, *, required: bool = False) -> Any:  # noqa: ANN401  # as attrs' own field
    """Return the field of a key. The default of a key stands in desired.model alone."""
    return field(default=None, metadata={"says": says, "required": required})


def _table(table: type, says: str = "") -> Any:  # noqa: ANN401  # as attrs' own field
    """`says` is for a table whose place means more than its class does."""
    return field(factory=table, metadata={"says": says} if says else {})


@frozen
class RecipeTable:
    """What is deployed, and whether it is to have a canonical."""

    upstream: UpstreamName | None = _key("Where the recipe's repository is published. Needed here or in the defaults.")
    driver: DriverName | None = _key("How the recipe runs.")
    enrolled: bool | None = _key("Whether the recipe is to have a canonical; false wants `exception`.")
    exception: Line | None = _key("Why the recipe is not enrolled.")
    review: date | None = _key("When the exception is to be thought over again.")
    requires: tuple[ToolName, ...] | None = _key("Programs that the trial needs, looked for before a deploy.")


@frozen
class ReleaseTable:
    """Which releases count."""

    allow: AllowRange | None = _key('A range on x.y.z such as ">=2.0.0,<4"; "*" allows all.')


@frozen
class InstallTable:
    """How a fresh data set is made."""

    env: Mapping[EnvName, Argument] | None = _key("Settings of the app, over the recipe's .env.sample.")
    secrets: Mapping[SecretName, Command] | None = _key(
        "Commands that print a secret which length alone cannot make, by the secret's name."
    )
    overlays: tuple[OverlayName, ...] | None = _key(
        "Files of the recipe's fleet folder, laid over its own compose files; only for a Swarm."
    )
    steps: tuple[Command, ...] | None = _key(
        "Commands run after the first deploy of a data set, never on data that was raised."
    )
    needs: tuple[RecipeName, ...] | None = _key("Recipes that are provisioned first, in the same slot.")


@frozen
class ReadyTable:
    """When the app counts as ready: one of `http`, `tcp` and `run`."""

    http: HttpPath | None = _key("This path answers with one of `status`.")
    tcp: OnlyTrue | None = _key("The app's port accepts a connection.")
    run: Command | None = _key("This command ends with 0.")
    status: StatusCodes | None = _key("What counts as an answer to `http`.")
    timeout: Duration | None = _key(
        "How long it may take until the app is ready; where nothing is declared, as long as the release's own label "
        "coop-cloud.STACK.timeout says, else 10m."
    )
    stable: Duration | None = _key("How long a ready app has to stay up, once a trial; its checks count into that.")


@frozen
class StopTable:
    """How the app is stopped."""

    grace: Duration | None = _key(
        "How long an app may take to end after SIGTERM before it is killed; only for a process recipe, "
        "on a Swarm its compose files say it: stop_grace_period.",
    )


@frozen
class DataTable:
    """Commands that prove the data."""

    mark: Command | None = _key("Writes something through the app; wants `check`.")
    check: Command | None = _key("Proves that the data is there, what `mark` wrote included.")


@frozen
class BackupTable:
    """Both or none; they want [data] check, without which a restore proves nothing."""

    take: Command | None = _key("Writes a backup to $BACKUP_DIR.")
    restore: Command | None = _key("Brings a backup back from $BACKUP_DIR.")


@frozen
class UpgradeTable:
    """Where an upgrade starts."""

    base: Base | None = _key('"canonical", or a version to pin, which wants `reason`.')
    reason: Line | None = _key("Why the base is pinned.")


@frozen
class TiersTable:
    """Tiers that are left out, each with the reason."""

    install: NeverSkipped | None = _key("The install cannot be left out.")
    upgrade: Line | None = _key("Why no upgrade is tried.")
    backup: Line | None = _key("Why no backup is tried.")
    restore: Line | None = _key("Why no restore is tried.")
    custom: Line | None = _key("Why the recipe's own tests are not run.")


@frozen
class CustomTable:
    """The recipe's own tests."""

    run: tuple[Command, ...] | None = _key("Commands run in order; each ends with 0.")
    timeout: Duration | None = _key("How long all of them may take.")


@frozen
class CanonicalTable:
    """What is kept of a canonical."""

    keep: Keep | None = _key("Whether a canonical rests, or is kept running as well; the latter only on a Swarm.")
    data: DataPolicy | None = _key("Keep data that has lived through upgrades, or a fresh install's.")
    generations: Generations | None = _key("How many generations are kept.")


@frozen
class RecipeFile:
    """One recipe of the fleet."""

    recipe: RecipeTable = _table(RecipeTable)
    release: ReleaseTable = _table(ReleaseTable)
    install: InstallTable = _table(InstallTable)
    ready: ReadyTable = _table(ReadyTable)
    stop: StopTable = _table(StopTable)
    data: DataTable = _table(DataTable)
    backup: BackupTable = _table(BackupTable)
    upgrade: UpgradeTable = _table(UpgradeTable)
    tiers: TiersTable = _table(TiersTable)
    custom: CustomTable = _table(CustomTable)
    canonical: CanonicalTable = _table(CanonicalTable)


@frozen
class FleetTable:
    """The fleet as a whole."""

    name: Line | None = _key("What the fleet is called in reports.", required=True)
    protocols: tuple[Protocol, ...] | None = _key('What upstreams may speak; "http" and "file" must be named.')
    unit: UnitName | None = _key("The systemd unit in which alone a pass may promote; empty means anywhere.")


@frozen
class EnvironmentTable:
    """What children inherit."""

    pass_: tuple[PassedName, ...] | None = _key(
        "Names of variables that children and git get beside the allow-list, such as HTTPS_PROXY or GIT_SSL_CAINFO."
    )


@frozen
class SwarmTable:
    """How apps on a Swarm are named and reached."""

    zone: Zone | None = _key("The domain below which each app has its own: NAME.ZONE.")
    proxy: Proxy | None = _key(
        'The URL of the proxy that routes to apps by their domain, or "direct": a published port.'
    )


@frozen
class FleetFile:
    """What holds for all recipes of a fleet."""

    format: Format | None = _key("The format of these declarations.", required=True)
    fleet: FleetTable = _table(FleetTable)
    environment: EnvironmentTable = _table(EnvironmentTable)
    swarm: SwarmTable = _table(SwarmTable)
    defaults: RecipeFile = _table(RecipeFile, "What holds for recipes that say nothing else, key by key.")


def toml_key(name: str) -> str:
    """The key in a TOML file that an attribute of these classes stands for."""
    return name.removesuffix("_")
