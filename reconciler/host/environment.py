"""Makes the environment of child processes, and the fingerprint of this place: the host and its tools."""

import hashlib
import os
import pwd
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from desired.digest import json_digest
from reconciler.errors import InfrastructureError
from reconciler.host.git.git_command import OLDEST_GIT, git_argv, git_environment
from reconciler.host.lines import read_or_empty
from reconciler.host.run import CommandSpec, capture
from reconciler.host.text import one_line
from state.records import Place

CEILING = "GIT_CEILING_DIRECTORIES"
ALLOWED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", CEILING)

CGROUPS = Path("/proc/self/cgroup")

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ALWAYS_USED = ("git", "python3")
_SECONDS = 30.0


def child_environment(passes: Iterable[str], environ: Mapping[str, str], state: Path) -> dict[str, str]:
    """Return the environment of all child processes: PATH, LANG, LC_ALL, GIT_CEILING_DIRECTORIES and `passes`.

    `passes` are names of variables. Their values come from `environ`. Variables that are not set there are left out.
    HOME and TMPDIR are never passed on. PATH keeps only absolute folders. GIT_CEILING_DIRECTORIES is the state folder
    `state`: without it, `git checkout` in a child could change a work tree around the state folder.
    """
    passed = {name: environ[name] for name in passes if name in environ and name not in ALLOWED}
    return {**passed, "PATH": _path(environ), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", CEILING: str(state)}


def _path(environ: Mapping[str, str]) -> str:
    # With a relative entry, a child in a recipe's folder would run programs from that folder.
    folders = [folder for folder in environ.get("PATH", "").split(":") if folder.startswith("/")]
    return ":".join(folders) or _DEFAULT_PATH


def place(requires: Iterable[str], environment: Mapping[str, str], environ: Mapping[str, str]) -> Place:
    """Return where Canon runs: systemd unit, user, names of environment variables, tools with hashes of their files.

    `requires` are the tools of all recipes and drivers. `environment` is the environment of child processes. `environ`
    is Canon's own environment. Raise InfrastructureError if git is missing or too old.
    """
    tools = {tool: _fingerprint(tool, environment["PATH"]) for tool in sorted({*requires, *ALWAYS_USED})}
    tools["git"] = f"{_git_version(environment)} {tools['git']}"
    unit = unit_of(read_or_empty(CGROUPS))
    user = _user()
    variables = tuple(sorted({*ALLOWED, *environment}))
    present = {tool: bool(digest) for tool, digest in tools.items()}
    return Place(
        trigger=trigger_of(unit, environ),
        unit=unit,
        user=user,
        path=environment["PATH"],
        variables=variables,
        tools=tools,
        digest=json_digest([unit, user, environment["PATH"], variables, present]),
        versions_digest=json_digest(tools),
    )


def unit_of(cgroups: str) -> str:
    """Return the systemd service in which this process runs, such as "canon.service"; "" if it runs in none.

    `cgroups` is the text of /proc/self/cgroup.
    """
    paths = re.findall(r"^\d+:name=systemd:(.*)$|^0::(.*)$", cgroups, re.MULTILINE)
    for named, unified in sorted(paths, reverse=True):
        parts = [part for part in (named or unified).split("/") if part.endswith((".service", ".scope"))]
        if parts:
            return parts[-1] if parts[-1].endswith(".service") else ""
    return ""


def trigger_of(unit: str, environ: Mapping[str, str]) -> str:
    """Return what started Canon: "timer", "systemctl" or "shell".

    `unit` is the systemd service in which Canon runs, "" for none. `environ` is Canon's own environment, in which
    systemd sets variables.
    """
    if not unit or "INVOCATION_ID" not in environ:
        return "shell"
    return "timer" if environ.get("TRIGGER_UNIT") else "systemctl"


def _fingerprint(tool: str, path: str) -> str:
    """Return "sha256:" and 16 hexadecimal digits of the hash of the program `tool`; "" if it is in no folder of `path`.

    `path` is a value of PATH.
    """
    program = shutil.which(tool, path=path)
    if program is None:
        return ""
    with Path(program).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


def _git_version(environment: Mapping[str, str]) -> str:
    """Return the version of git, such as "2.39.5". Raise InfrastructureError if git is missing, broken or too old."""
    output = capture(CommandSpec(git_argv("--version"), git_environment(environment), Path("/"), _SECONDS))
    if output.result.missing:
        raise InfrastructureError("git: not found in PATH", "install git")
    version = re.match(rb"git version ((\d+)\.(\d+)[\w.]*)", output.out)
    if not output.ok or version is None:
        raise InfrastructureError(f"git does not report its version: {one_line(output.out + output.err)}")
    text = version[1].decode()
    if (int(version[2]), int(version[3])) < OLDEST_GIT:
        raise InfrastructureError(f"git {text} is too old", f"git {OLDEST_GIT[0]}.{OLDEST_GIT[1]} or newer is needed")
    return text


def _user() -> str:
    """Return the name of the user that runs Canon. If the user has no name, return its id as text."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
