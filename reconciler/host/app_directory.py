"""Creates, writes, copies and removes the files of one app in its slot."""

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
    """Create the folders of an app. Existing ones stay."""
    for folder in (
        app.folder,
        app.data,
        app.secrets,
        app.logs,
        *(app.folder / name for name in ("home", "tmp", "run")),
    ):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_raw_log(app: App, name: str) -> IO[bytes]:
    """Open the log of a Procfile line, to append its raw output: nothing in it is redacted. Never follows a link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(app.logs / f"{name}.log", flags, 0o600), "ab")


def new_log(app: App, name: str) -> Log:
    """Replace the log of a part of the app by an empty one, and open it. Secrets of the slot are redacted."""
    path = app.logs / f"{name}.log"
    path.unlink(missing_ok=True)
    return Log(path, redaction(read_slot_secrets(app.folder.parent)))


def open_log_for_appending(app: App, name: str) -> Log:
    """Open the log of a part of the app to append to it. Secrets of the slot are redacted."""
    return Log(app.logs / f"{name}.log", redaction(read_slot_secrets(app.folder.parent)))


def last_lines(app: App) -> tuple[str, ...]:
    """Return the last lines of each log of the app, safe to print and without secrets of the slot."""
    known = redaction(read_slot_secrets(app.folder.parent))
    return tuple(line for path in sorted(app.logs.glob("*.log")) for line in _end_of(path, known))


def _end_of(path: Path, known: Redaction) -> Iterator[str]:
    with suppress(OSError), os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        start = max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES - known.longest)
        file.seek(start)
        # Reads a bit more than it returns: if the reading starts within a secret, the rest of it is not returned.
        data = known.apply(file.read())
        lines = lines_printable(data[-_LOG_BYTES:]).rstrip("\n").split("\n")
        yield from (f"{path.stem}: {line}" for line in lines[-_LOG_LINES:] if line)


def write_settings(app: App, options: DeployOptions, sample: str = "") -> None:
    """Write version, commit and settings of a deployment to settings.json in the app's folder.

    `sample` is the text of the .env.sample used, "" to leave it out. `recorded_sample` reads it; Canon reads nothing
    else from this file.
    """
    given = {"version": options.version, "commit": options.commit, "settings": dict(options.settings)}
    given |= {"sample": sample} if sample else {}
    replace_file(app.folder / _SETTINGS, json.dumps(given, indent=1, sort_keys=True), 0o600)


def recorded_sample(app: App) -> str:
    """Return the .env.sample with which the app, or the data loaded into it, was deployed; "" if unknown."""
    path = app.folder / _SETTINGS
    return str(json.loads(path.read_text("utf-8")).get("sample", "")) if path.is_file() else ""


def sample_for(app: App, options: DeployOptions) -> str:
    """Return the .env.sample of an earlier deployment: of this app, else of the app `sample_from`; "" if unknown."""
    return recorded_sample(app) or (recorded_sample(options.sample_from) if options.sample_from else "")


def app_run(app: App) -> Path:
    return app.folder / "run" / "app-run"


def write_app_run(app: App, checkout: Path, environment: Mapping[str, str]) -> None:
    """Write the program `app-run`. It executes the command that it gets as arguments, as the app's own processes run.

    The command runs in the folder `checkout` and with the variables in `environment`.
    """
    inside = app.folder / "run" / _INSIDE
    replace_file(inside, _INNER.format(environment=dict(environment), checkout=repr(str(checkout))), 0o600)
    replace_file(app_run(app), _OUTER.format(python=_quoted(sys.executable), inside=_quoted(str(inside))), 0o700)


def copy_out(app: App, into: Path, environment: Mapping[str, str]) -> None:
    """Copy data, secrets and settings of the app into the empty folder `into`, with modes, times, links and holes.

    Makes hard links where the file system allows them: if the app is started again, it may change these files in `into`
    too. Raises RecipeError if a folder is gone or a file unreadable, InfrastructureError if the host is to blame.
    """
    for source in (app.data, app.secrets):
        if source.is_symlink() or not source.is_dir():
            raise RecipeError(f"{app.recipe}: {source.name}/ of its slot is gone or no folder any more")
    for source in (app.data, app.secrets, app.folder / _SETTINGS):
        if source.exists() and not _link(source, into / source.name, environment):
            _copy(app, source, into / source.name, environment)


def move_in(app: App, source: Path, environment: Mapping[str, str]) -> None:
    """Move data, secrets and settings from `source` into the app, or copy them if they cannot be moved."""
    if app.data.exists() and any(app.data.iterdir()):
        raise InfrastructureError(f"{app.recipe}: its slot holds data already, so none can be loaded")
    create_folders(app)
    for saved in (source / "data", source / "secrets", source / _SETTINGS):
        if saved.exists() and not _move(saved, app.folder / saved.name):
            _copy(app, saved, app.folder / saved.name, environment)


def _link(source: Path, to: Path, environment: Mapping[str, str]) -> bool:
    """Hard-link all files of a tree. Returns whether that worked; if not, nothing is left at `to`.

    The kernel refuses to link immutable files, files of other users, and across file systems.
    """
    if _run(("cp", "-al", "-T", "--", str(source), str(to)), environment).ok:
        return True
    _run(("rm", "-rf", "--", str(to)), environment)
    return False


def _move(source: Path, to: Path) -> bool:
    """Rename `source` to `to`. Returns False if that fails, as it does between two disks and on a read-only disk."""
    try:
        source.rename(to)
    except OSError:
        return False
    return True


def remove(folder: Path, environment: Mapping[str, str]) -> bool:
    """Delete a folder, also if the app made folders in it unreadable. Returns whether it is gone."""
    for argv in (("rm", "-rf"), ("chmod", "-R", "u+rwX"), ("rm", "-rf")):
        if os.path.lexists(folder):
            _run((*argv, "--", str(folder)), environment)
    return not os.path.lexists(folder)


def _copy(app: App, source: Path, to: Path, environment: Mapping[str, str]) -> None:
    output = _run(("cp", "-a", "-T", "--", str(source), str(to)), environment)
    if output.ok:
        return
    reason = one_line(output.err.partition(b"\n")[0]).partition(": ")[2] or "cp did not come to an end"
    message = f"{app.recipe}: its {source.name} cannot be copied: {reason}"
    if output.result.code is None or any(words in reason for words in _OF_THE_HOST):
        raise InfrastructureError(message)
    raise RecipeError(message, "an app has to leave its data readable to the user that runs it")


def _run(argv: tuple[str, ...], environment: Mapping[str, str]) -> CapturedOutput:
    output = capture(CommandSpec(argv, environment, Path("/"), _DEADLINE))
    if output.result.missing:
        raise InfrastructureError(f"{argv[0]}: not found in PATH", "it is part of GNU coreutils")
    return output


def replace_file(path: Path, text: str, mode: int) -> None:
    """Replace a file. Never follows a link that an app may have made."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")
