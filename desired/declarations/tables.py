"""The tables of `fleet.toml` and `recipe.toml`: every key with its kind and its description.

None means that the key is not given. A name that is a keyword of Python ends in "_" here. Tables are not compared or
printed: without these methods attrs makes the classes in half of the time, and every command loads them.
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
    DriftWord,
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
    Parallel,
    PassedName,
    Protocol,
    Proxy,
    PushAddress,
    RecipeName,
    SecretName,
    SigningKey,
    StatusCodes,
    TokenSource,
    ToolName,
    UnitName,
    UpstreamName,
    Zone,
)
from desired.model import DataPolicy, Keep


def _key(description: str, *, required: bool = False) -> Any:  # noqa: ANN401  # as attrs' own field
    """Return the attrs field of a key. Its default value is only in desired.model."""
    return field(default=None, metadata={"description": description, "required": required})


def _table(table: type, description: str = "") -> Any:  # noqa: ANN401  # as attrs' own field
    """Return the attrs field of a table. `description` is for editors; without it they show the class's docstring."""
    return field(factory=table, metadata={"description": description} if description else {})


@frozen(eq=False, repr=False)
class RecipeTable:
    """Where the recipe is published, how it runs, and whether Canon keeps a canonical of it."""

    upstream: UpstreamName | None = _key("Where the recipe's repository is published. Needed here or in the defaults.")
    driver: DriverName | None = _key("How the recipe runs.")
    enrolled: bool | None = _key("Whether the recipe gets a canonical; false needs `exception`.")
    exception: Line | None = _key("Why the recipe is not enrolled.")
    review: date | None = _key("The day to reconsider the exception.")
    requires: tuple[ToolName, ...] | None = _key("Programs that the trial needs; checked before a deploy.")


@frozen(eq=False, repr=False)
class ReleaseTable:
    """Which release tags Canon considers: a range of versions."""

    allow: AllowRange | None = _key('A range on x.y.z such as ">=2.0.0,<4"; "*" allows all.')
    minimum_age: Duration | None = _key("How long ago a pass must have seen a release first, for it to be tried.")


@frozen(eq=False, repr=False)
class InstallTable:
    """How a fresh data set is made."""

    env: Mapping[EnvName, Argument] | None = _key("Settings of the app; they override the recipe's .env.sample.")
    secrets: Mapping[SecretName, Command] | None = _key(
        "Commands that print a secret, by the secret's name; for secrets that need more than a length."
    )
    overlays: tuple[OverlayName, ...] | None = _key(
        "Files of the recipe's fleet folder, merged over its own compose files; only for a Swarm."
    )
    steps: tuple[Command, ...] | None = _key(
        "Commands that run after the first deploy of a data set, never on data from a snapshot."
    )
    needs: tuple[RecipeName, ...] | None = _key("Recipes that are deployed first, in the same slot.")


@frozen(eq=False, repr=False)
class ReadyTable:
    """When the app counts as ready: one of `http`, `tcp` and `run`."""

    http: HttpPath | None = _key("This path answers with one of `status`.")
    tcp: OnlyTrue | None = _key("The app's port accepts a connection.")
    run: Command | None = _key("This command ends with 0.")
    status: StatusCodes | None = _key("The HTTP codes that count as an answer to `http`.")
    timeout: Duration | None = _key(
        "How long the app may take to become ready. The default is the release's own label coop-cloud.STACK.timeout, "
        "else 10m."
    )
    stable: Duration | None = _key(
        "How long a ready app has to stay up, once in each trial; the time of its checks counts."
    )


@frozen(eq=False, repr=False)
class StopTable:
    """How the app is stopped."""

    grace: Duration | None = _key(
        "How long an app may take to end after SIGTERM before it is killed; only for a process recipe. "
        "On a Swarm stop_grace_period in the compose files sets this.",
    )


@frozen(eq=False, repr=False)
class DataTable:
    """Commands that prove the data."""

    mark: Command | None = _key("Writes something through the app; needs `check`.")
    check: Command | None = _key("Proves that the data is there, including what `mark` wrote.")


@frozen(eq=False, repr=False)
class BackupTable:
    """Commands that write and restore a backup. Give both or none; without [data] check a restore proves nothing."""

    take: Command | None = _key("Writes a backup to $BACKUP_DIR.")
    restore: Command | None = _key("Restores a backup from $BACKUP_DIR.")


@frozen(eq=False, repr=False)
class UpgradeTable:
    """The version that an upgrade starts from."""

    base: Base | None = _key('"canonical", or a pinned version, which needs `reason`.')
    reason: Line | None = _key("Why the base is pinned.")


@frozen(eq=False, repr=False)
class TiersTable:
    """Tiers that are left out, each with the reason."""

    install: NeverSkipped | None = _key("The install cannot be left out.")
    upgrade: Line | None = _key("Why no upgrade is tried.")
    backup: Line | None = _key("Why no backup is tried.")
    restore: Line | None = _key("Why no restore is tried.")
    custom: Line | None = _key("Why the recipe's own tests are not run.")


@frozen(eq=False, repr=False)
class CustomTable:
    """The recipe's own tests."""

    run: tuple[Command, ...] | None = _key("Commands that run in order; each must end with 0.")
    timeout: Duration | None = _key("How long all of them may take.")


@frozen(eq=False, repr=False)
class CanonicalTable:
    """How a canonical is kept."""

    keep: Keep | None = _key(
        'Whether a canonical is only stored ("rest"), or kept running as well ("running", only on a Swarm).'
    )
    data: DataPolicy | None = _key(
        'Keep the data that went through the upgrades ("carried"), or that of a fresh install ("fresh").'
    )
    generations: Generations | None = _key("How many generations are kept.")


@frozen(eq=False, repr=False)
class DriftTable:
    """Differences that `reconcile drift` shows, but does not count until a day."""

    ignore: tuple[DriftWord, ...] | None = _key('Words of differences, such as "down"; needs `reason` and `until`.')
    reason: Line | None = _key("Why they are ignored.")
    until: date | None = _key("The day (UTC) from which they count again.")


@frozen(eq=False, repr=False)
class RecipeFile:
    """The tables of a `recipe.toml`. The `[defaults]` of `fleet.toml` have the same tables."""

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
    drift: DriftTable = _table(DriftTable)


@frozen(eq=False, repr=False)
class FleetTable:
    """The fleet as a whole."""

    name: Line | None = _key("What the fleet is called in reports.", required=True)
    protocols: tuple[Protocol, ...] | None = _key(
        'The protocols of upstream addresses; "http" and "file" must be named to be allowed.'
    )
    unit: UnitName | None = _key("The only systemd unit in which a pass may promote; empty means anywhere.")
    sign: SigningKey | None = _key(
        'The key that signs the evidence of promotions: "ssh:" and the path of a private key without a passphrase, or '
        '"gpg:" and the id of a key; empty means unsigned.'
    )
    stale: Duration | None = _key(
        "How old the last pass over the whole fleet may be. If it is older, `status` and `drift` exit with 1."
    )


@frozen(eq=False, repr=False)
class EnvironmentTable:
    """Environment variables that child processes get."""

    pass_: tuple[PassedName, ...] | None = _key(
        "Variables that child processes and git get besides the allow-list, such as HTTPS_PROXY or GIT_SSL_CAINFO."
    )


@frozen(eq=False, repr=False)
class SwarmTable:
    """How apps on a Swarm are named and reached."""

    zone: Zone | None = _key("The domain of the apps: each app has the domain NAME.ZONE.")
    proxy: Proxy | None = _key(
        'The URL of the proxy that routes to apps by their domain, or "direct" for a published port.'
    )


@frozen(eq=False, repr=False)
class BudgetTable:
    """How much of the host a pass may use."""

    parallel: Parallel | None = _key(
        "How many recipes a pass may try at once. The default is what cores and memory bear: one for every two cores "
        "and every 4 GiB of memory that is available."
    )


@frozen(eq=False, repr=False)
class MirrorTable:
    """The team's forge, to which the mirrors are pushed."""

    push: PushAddress | None = _key(
        "The address of a recipe's repository there, with {recipe} for its name, such as "
        "ssh://git@forge.example/mirrors/{recipe}.git."
    )
    token: TokenSource | None = _key(
        "For a push by http or https: the path of a file with the token, or the name of a systemd credential."
    )


@frozen(eq=False, repr=False)
class FleetFile:
    """Settings of a fleet, and defaults for its recipes."""

    format: Format | None = _key("The format of these declarations.", required=True)
    fleet: FleetTable = _table(FleetTable)
    environment: EnvironmentTable = _table(EnvironmentTable)
    swarm: SwarmTable = _table(SwarmTable)
    budget: BudgetTable = _table(BudgetTable)
    mirror: MirrorTable = _table(MirrorTable)
    defaults: RecipeFile = _table(RecipeFile, "Default values for all recipes, key by key.")


def toml_key(name: str) -> str:
    """Return the key in a TOML file for an attribute of these classes."""
    return name.removesuffix("_")
