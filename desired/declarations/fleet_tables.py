"""The tables of `fleet.toml`: every key with its kind and its description. As in `tables`, None means not given."""

# ruff: noqa: RUF009  # key and table make attrs' fields
from attrs import frozen

from desired.declarations.tables import RecipeFile, key, table
from desired.declarations.values import (
    Count,
    Duration,
    Format,
    ImagesWord,
    Line,
    MailAddress,
    MailEncryption,
    MailServer,
    Parallel,
    PassedName,
    Protocol,
    Proxy,
    PushAddress,
    SigningKey,
    Size,
    TokenSource,
    UnitName,
    WebhookUrl,
    Zone,
)


@frozen(eq=False, repr=False)
class FleetTable:
    """The fleet as a whole."""

    name: Line | None = key("What the fleet is called in reports.", required=True)
    protocols: tuple[Protocol, ...] | None = key(
        'The protocols of upstream addresses; "http" and "file" must be named to be allowed.'
    )
    unit: UnitName | None = key("The only systemd unit in which a pass may promote; empty means anywhere.")
    sign: SigningKey | None = key(
        'The key that signs the evidence of promotions: "ssh:" and the path of a private key without a passphrase, or '
        '"gpg:" and the id of a key; empty means unsigned.'
    )
    stale: Duration | None = key(
        "How old the last pass over the whole fleet may be. If it is older, `status` and `drift` exit with 1."
    )


@frozen(eq=False, repr=False)
class EnvironmentTable:
    """Environment variables that child processes get."""

    pass_: tuple[PassedName, ...] | None = key(
        "Variables that child processes and git get besides the allow-list, such as HTTPS_PROXY or GIT_SSL_CAINFO."
    )


@frozen(eq=False, repr=False)
class SwarmTable:
    """How apps on a Swarm are named and reached."""

    zone: Zone | None = key("The domain of the apps: each app has the domain NAME.ZONE.")
    proxy: Proxy | None = key(
        'The URL of the proxy that routes to apps by their domain, or "direct" for a published port.'
    )


@frozen(eq=False, repr=False)
class BudgetTable:
    """How much of the host a pass may use."""

    parallel: Parallel | None = key(
        "How many recipes a pass may try at once. The default is what cores and memory bear: one for every two cores "
        "and every 4 GiB of memory that is available."
    )

    disk: Size | None = key(
        "How much of the disk the trials may take. A recipe whose last trials took more, or more than is free, is not "
        "tried. Without it nothing is left out."
    )
    images: ImagesWord | None = key(
        '"prune": a pass removes images that Canon pulled and that no stored generation, container or service needs; '
        '"keep", which is the default: none.'
    )
    trials: Count | None = key(
        "How many recipes a pass may try at most; those that wait longest come first. The default is any number."
    )
    ways: Duration | None = key(
        "How long a pass may try ways of its canonicals, after its trials. Those that do not fit are left to a later "
        "pass. The default is any time."
    )


@frozen(eq=False, repr=False)
class MirrorTable:
    """The team's forge, to which the mirrors are pushed."""

    push: PushAddress | None = key(
        "The address of a recipe's repository there, with {recipe} for its name, such as "
        "ssh://git@forge.example/mirrors/{recipe}.git."
    )
    token: TokenSource | None = key(
        "For a push by http or https: the path of a file with the token, or the name of a systemd credential."
    )


@frozen(eq=False, repr=False)
class MailTable:
    """Messages by mail, over SMTP."""

    server: MailServer | None = key("The SMTP server with its port, such as smtp.example.org:587.")
    to: tuple[MailAddress, ...] | None = key("Who gets the mail.")
    from_: MailAddress | None = key("The address of the sender.")
    user: Line | None = key("The name to log in with, if the server wants a login.")
    password: TokenSource | None = key("The path of a file with the password, or the name of a systemd credential.")
    encryption: MailEncryption | None = key(
        '"starttls", which is the default, "tls" from the beginning of the connection, or "none".'
    )


@frozen(eq=False, repr=False)
class WebhookTable:
    """Messages by HTTP POST of JSON."""

    url: WebhookUrl | None = key("The URL that gets the messages. Redirects are not followed, and no proxy is used.")
    token: TokenSource | None = key(
        "The path of a file with a token, or the name of a systemd credential; sent as Authorization: Bearer."
    )


@frozen(eq=False, repr=False)
class AppriseTable:
    """Messages by the library apprise, which is installed with canon-reconcile[apprise]."""

    urls: TokenSource | None = key(
        "The path of a file with URLs of apprise, one on each line, or the name of a systemd credential."
    )


@frozen(eq=False, repr=False)
class NotifyTable:
    """Messages about problems: when one begins, while it lasts, and when it is over."""

    remind: Duration | None = key("After how long a problem that lasts is told again; 7d by default.")
    mail: MailTable = table(MailTable)
    webhook: WebhookTable = table(WebhookTable)
    apprise: AppriseTable = table(AppriseTable)


@frozen(eq=False, repr=False)
class FleetFile:
    """Settings of a fleet, and defaults for its recipes."""

    format: Format | None = key("The format of these declarations.", required=True)
    fleet: FleetTable = table(FleetTable)
    environment: EnvironmentTable = table(EnvironmentTable)
    swarm: SwarmTable = table(SwarmTable)
    budget: BudgetTable = table(BudgetTable)
    mirror: MirrorTable = table(MirrorTable)
    notify: NotifyTable = table(NotifyTable)
    defaults: RecipeFile = table(RecipeFile, "Default values for all recipes, key by key.")
