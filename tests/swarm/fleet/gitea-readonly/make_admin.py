"""An install step: without an account nothing can be written through the interface."""

from gitea import PASSWORD, USER, inside

inside(
    "gitea", "--config", "/etc/gitea/app.ini", "admin", "user", "create", "--admin", "--must-change-password=false",
    "--username", USER, "--email", "ada@example.org", "--password", PASSWORD,
)  # fmt: skip
