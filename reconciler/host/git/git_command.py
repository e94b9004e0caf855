"""How every call of git is made: nothing of the host's or a user's settings, nothing that asks, nothing that waits."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from desired.declarations.passing import PASSED_TO_GIT
from reconciler.host.text import one_line

# Since then git flushes what it writes as `core.fsync` says; `fetch --stdin` and `--no-write-fetch-head` are older.
OLDEST_GIT = (2, 36)

# Which index and which work tree a call is about.
_PLACES = ("GIT_INDEX_FILE", "GIT_WORK_TREE")

# What git says after ssh has said why.
_VAGUE = b"fatal: Could not read from remote repository"

_USERINFO = re.compile(rb"(?<=://)[^/@\s]+@")

_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_ADVICE": "0",
}

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "core.fsync": "all",
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "credential.helper": "",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "protocol.version": "2",
    "transfer.fsckObjects": "true",
    "transfer.bundleURI": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "safe.bareRepository": "explicit",
}


def git_environment(base: Mapping[str, str], protocols: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a call that may speak only `protocols`; `base` is what all children get.

    Of git's own variables it holds how ssh is called, and what TLS and proxies go by, where a fleet passes them on.
    """
    ssh = base.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    kept = {*_PLACES, *PASSED_TO_GIT}
    ours = {name: value for name, value in base.items() if not name.startswith("GIT_") or name in kept}
    return {**ours, **_ENVIRONMENT, "GIT_SSH_COMMAND": ssh, "GIT_ALLOW_PROTOCOL": ":".join(protocols) or "none"}


def git_argv(
    *arguments: str, repository: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """A call of git on `repository`; `settings` hold over the profile's own."""
    wanted = {**_SETTINGS, **(settings or {})}
    options = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
    place = [f"--git-dir={repository}"] if repository else []
    return ("git", "--no-pager", "--no-optional-locks", *place, *options, *arguments)


def error_line(err: bytes) -> str:
    """The first line of git's that tells why it failed, without a password that a URL may hold."""
    lines = [line for line in err.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith((b"fatal:", b"error:")) and not line.startswith(_VAGUE)]
    fatal = fatal or lines or [b"no reason given"]
    return one_line(_USERINFO.sub(b"", fatal[0].removeprefix(b"fatal: ").removeprefix(b"error: ")))
