"""Makes the arguments and environment of every git call: without settings of host and user, prompts or waiting."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from desired.declarations.passing import PASSED_TO_GIT
from reconciler.host.text import one_line

# The setting `core.fsync` came with git 2.36. `fetch --stdin` and `--no-write-fetch-head` are older.
OLDEST_GIT = (2, 36)

# Set by Canon itself, per call.
_PER_CALL = ("GIT_INDEX_FILE", "GIT_WORK_TREE")

# Git prints this line after the message of ssh, which has the reason.
_SSH_FAILED = b"fatal: Could not read from remote repository"

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
    """Return the environment of a git call.

    `protocols` are the protocols by which git may connect, such as "https"; with (), git may not connect at all. `base`
    is the environment of all child processes. Variables GIT_… in it are removed, with two exceptions: variables for
    ssh, TLS and proxies that a fleet passes on, and variables that Canon sets for a single call.
    """
    ssh = base.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    kept = {*_PER_CALL, *PASSED_TO_GIT}
    ours = {name: value for name, value in base.items() if not name.startswith("GIT_") or name in kept}
    return {**ours, **_ENVIRONMENT, "GIT_SSH_COMMAND": ssh, "GIT_ALLOW_PROTOCOL": ":".join(protocols) or "none"}


def secret_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that give `settings` to git. `settings` maps names of git's settings to values.

    The settings are not given as arguments, because other users can read the arguments of a program.
    """
    variables = {"GIT_CONFIG_COUNT": str(len(settings))} if settings else {}
    for number, (name, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def git_argv(
    *arguments: str, repository: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the command line of a git call with `arguments`.

    `repository` is the value of the option `--git-dir`; with None, that option is left out. `settings` maps names of
    git's settings to values, which override Canon's defaults. With None, only Canon's defaults are set.
    """
    wanted = {**_SETTINGS, **(settings or {})}
    options = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
    place = [f"--git-dir={repository}"] if repository else []
    return ("git", "--no-pager", "--no-optional-locks", *place, *options, *arguments)


def error_line(err: bytes) -> str:
    """Return the line of `err`, what git wrote to stderr, that best says why git failed.

    This is the first line that begins with "fatal:" or "error:", without that word. If there is no such line, it is the
    first line. User names and passwords in URLs are removed. Return "no reason given" if `err` is empty.
    """
    lines = [line for line in err.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith((b"fatal:", b"error:")) and not line.startswith(_SSH_FAILED)]
    fatal = fatal or lines or [b"no reason given"]
    return one_line(_USERINFO.sub(b"", fatal[0].removeprefix(b"fatal: ").removeprefix(b"error: ")))
