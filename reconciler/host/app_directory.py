"""Makes, writes, copies and removes the folders and files of one app in its slot."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from reconciler.errors import InfrastructureError, RecipeError
from reconciler.host.output import Log
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.host.text import lines_printable, one_line
from reconciler.ports.app import App, DeployOptions
from reconciler.redact import Redaction, read_slot_secrets, redaction

_SETTINGS = "settings.json"
_INSIDE = "inside.py"
# Enough to copy or delete the largest data; a disk that hangs must not hang a pass for ever.
_DEADLINE = 6 * 3600.0
_LOG_BYTES = 4096
_LOG_LINES = 8
# Messages of cp, under LC_ALL=C.UTF-8, for which the host and not the data is to blame.
_OF_THE_HOST = ("No space left on device", "Disk quota exceeded", "Input/output error", "Read-only file system")

# Settings may be secret. So they are in a file that only this user can read, and not among the arguments of a program.
_OUTER = """\
#!/bin/sh
exec '{python}' -IS '{inside}' "$@"
"""
_INNER = """\
import os, signal, sys
environment = {environment}
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
try:
    os.chdir({checkout})
    os.execvpe(sys.argv[1], sys.argv[1:], environment)
except (IndexError, OSError) as failure:
    print("app-run:", failure, file=sys.stderr)
    sys.exit(127)
"""


def create_folders(app: App) -> None:
    """Make the folders of an app that are missing, readable only for this user. Existing folders stay as they are."""
    for folder in (
        app.folder,
        app.data,
        app.secrets,
        app.logs,
        *(app.folder / name for name in ("home", "tmp", "run")),
    ):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_raw_log(app: App, name: str) -> IO[bytes]:
    """Open the log of the Procfile line `name` for appending. Secrets are not masked in what is written to it.

    Raise OSError if the file cannot be opened, for example because the app has replaced it by a link.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(app.logs / f"{name}.log", flags, 0o600), "ab")


def new_log(app: App, name: str) -> Log:
    """Delete the log of the app's service `name`, and open a new, empty one.

    The secrets of the app's slot are masked in what is written to it.
    """
    path = app.logs / f"{name}.log"
    path.unlink(missing_ok=True)
    return Log(path, redaction(read_slot_secrets(app.folder.parent)))


def open_log_for_appending(app: App, name: str) -> Log:
    """Open the log of `name`, such as a Procfile line, for appending. Make it if it is missing.

    The secrets of the app's slot are masked in what is written to it.
    """
    return Log(app.logs / f"{name}.log", redaction(read_slot_secrets(app.folder.parent)))


def last_lines(app: App) -> tuple[str, ...]:
    """Return the last lines of each log of the app as "LOG: LINE", at most 8 of each. LOG is the name of the log.

    Logs are sorted by name. Logs that cannot be read, and empty lines, are left out. Secrets of the slot are masked,
    and unprintable characters are escaped.
    """
    known = redaction(read_slot_secrets(app.folder.parent))
    return tuple(line for path in sorted(app.logs.glob("*.log")) for line in _end_of(path, known))


def _end_of(path: Path, known: Redaction) -> Iterator[str]:
    """Yield the last lines of the log at `path` as "LOG: LINE", at most 8; none if the log cannot be read.

    `known` masks the secrets of the slot.
    """
    with suppress(OSError), os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        start = max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES - known.longest)
        file.seek(start)
        # Reads a bit more than it returns. Otherwise the reading could start within a secret, and the rest of that
        # secret would not be recognised.
        data = known.apply(file.read())
        lines = lines_printable(data[-_LOG_BYTES:]).rstrip("\n").split("\n")
        yield from (f"{path.stem}: {line}" for line in lines[-_LOG_LINES:] if line)


def write_settings(app: App, options: DeployOptions, sample: str = "") -> None:
    """Write version, commit and settings of a deployment to settings.json in the app's folder, for people.

    `sample` is the text of the .env.sample that the deployment uses; "" for none. It is written to the same file. Canon
    itself reads only the sample again, with `recorded_sample`.
    """
    record = {"version": options.version, "commit": options.commit, "settings": dict(options.settings)}
    record |= {"sample": sample} if sample else {}
    replace_file(app.folder / _SETTINGS, json.dumps(record, indent=1, sort_keys=True), 0o600)


def recorded_sample(app: App) -> str:
    """Return the text of the .env.sample in the app's settings.json; "" if there is none.

    The app's last deployment wrote settings.json, or it was loaded with the app's data.
    """
    path = app.folder / _SETTINGS
    return str(json.loads(path.read_text("utf-8")).get("sample", "")) if path.is_file() else ""


def sample_for(app: App, options: DeployOptions) -> str:
    """Return the text of the .env.sample with which an app was last deployed.

    If the app has none, return the text of the app `options.sample_from`, with whose data this app starts. Return "" if
    neither app has one.
    """
    return recorded_sample(app) or (recorded_sample(options.sample_from) if options.sample_from else "")


def app_run(app: App) -> Path:
    """Return the path of an app's program `app-run`, which runs a command as if that were part of the app."""
    return app.folder / "run" / "app-run"


def write_app_run(app: App, checkout: Path, environment: Mapping[str, str]) -> None:
    """Write the program `app-run`. The program runs the command in its arguments as if that were part of the app.

    The command runs in the folder `checkout`, with the environment `environment`.
    """
    inside = app.folder / "run" / _INSIDE
    replace_file(inside, _INNER.format(environment=dict(environment), checkout=repr(str(checkout))), 0o600)
    replace_file(app_run(app), _OUTER.format(python=_quoted(sys.executable), inside=_quoted(str(inside))), 0o700)


def copy_out(app: App, into: Path, environment: Mapping[str, str]) -> None:
    """Copy the data, secrets and settings of the app into the empty folder `into`. Modes, times and links are kept.

    If the file system allows it, files become hard links: when the app runs again, it may then change the files in
    `into` too. `environment` is the environment of the programs that copy. Raise RecipeError if the folder of data or
    secrets is gone or a file cannot be read, InfrastructureError for a fault of the host, such as a full disk.
    """
    for source in (app.data, app.secrets):
        if source.is_symlink() or not source.is_dir():
            raise RecipeError(f"{app.recipe}: {source.name}/ of its slot is gone or no folder any more")
    for source in (app.data, app.secrets, app.folder / _SETTINGS):
        if source.exists() and not _link(source, into / source.name, environment):
            _copy(app, source, into / source.name, environment)


def move_in(app: App, source: Path, environment: Mapping[str, str]) -> None:
    """Move data, secrets and settings from the folder `source` into the folder of the app. Copy what cannot be moved.

    `environment` is the environment of the program that copies. Raise InfrastructureError if the app already has data,
    or for a fault of the host. Raise RecipeError if a copy fails for another reason.
    """
    if app.data.exists() and any(app.data.iterdir()):
        raise InfrastructureError(f"{app.recipe}: its slot has data already, so none can be loaded")
    create_folders(app)
    for saved in (source / "data", source / "secrets", source / _SETTINGS):
        if saved.exists() and not _move(saved, app.folder / saved.name):
            _copy(app, saved, app.folder / saved.name, environment)


def _link(source: Path, to: Path, environment: Mapping[str, str]) -> bool:
    """Copy a file or folder to `to` by hard links. Return whether that succeeded. If not, delete what is at `to`.

    The kernel makes no hard links to immutable files, to files of other users, or into another file system.
    """
    if _run(("cp", "-al", "-T", "--", str(source), str(to)), environment).ok:
        return True
    _run(("rm", "-rf", "--", str(to)), environment)
    return False


def _move(source: Path, to: Path) -> bool:
    """Rename `source` to `to`. Return False if that fails, for example because `to` is on another file system."""
    try:
        source.rename(to)
    except OSError:
        return False
    return True


def remove(folder: Path, environment: Mapping[str, str]) -> bool:
    """Delete a folder, even if the app made folders in it unreadable. Return whether it is gone.

    `environment` is the environment of the programs `rm` and `chmod`. Raise InfrastructureError if they are not
    installed.
    """
    for argv in (("rm", "-rf"), ("chmod", "-R", "u+rwX"), ("rm", "-rf")):
        if os.path.lexists(folder):
            _run((*argv, "--", str(folder)), environment)
    return not os.path.lexists(folder)


def _copy(app: App, source: Path, to: Path, environment: Mapping[str, str]) -> None:
    """Copy the file or folder `source` of an app to `to`, with the program `cp` in the environment `environment`.

    Raise InfrastructureError for a fault of the host, such as a full disk; RecipeError for any other failure.
    """
    output = _run(("cp", "-a", "-T", "--", str(source), str(to)), environment)
    if output.ok:
        return
    reason = one_line(output.err.partition(b"\n")[0]).partition(": ")[2] or "cp did not come to an end"
    message = f"{app.recipe}: its {source.name} cannot be copied: {reason}"
    if output.result.code is None or any(words in reason for words in _OF_THE_HOST):
        raise InfrastructureError(message)
    raise RecipeError(message, "an app has to leave its data readable to the user that runs it")


def _run(argv: tuple[str, ...], environment: Mapping[str, str]) -> CapturedOutput:
    """Run a program of GNU coreutils. Return how it ended and what it printed, even if it failed.

    Raise InfrastructureError if the program is not installed.
    """
    output = capture(CommandSpec(argv, environment, Path("/"), _DEADLINE))
    if output.result.missing:
        raise InfrastructureError(f"{argv[0]}: not found in PATH", "it is part of GNU coreutils")
    return output


def replace_file(path: Path, text: str, mode: int) -> None:
    """Replace the file `path` by a new one with this text and these permissions. If it is a link, replace the link."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(text: str) -> str:
    """Return `text` escaped for a place within single quotes in a shell script."""
    return text.replace("'", "'\\''")
