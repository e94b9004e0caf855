"""Runs `abra`, the command of Co-op Cloud: writes the files that abra reads, and interprets what abra prints.

This is based on abra's public documentation, and on reports of its users. abra exits only with 0 or 1, so that its
messages have to be read too. Canon itself waits for the app, and calls abra with --no-converge-checks.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from desired.versions import is_release_name
from reconciler.errors import CanonError, InfrastructureError
from reconciler.host import app_directory
from reconciler.host.git.git_command import error_line, git_argv, git_environment
from reconciler.host.run import CapturedOutput, CommandSpec, capture
from reconciler.host.swarm.engine.docker_faults import classify_failure
from reconciler.host.text import one_line

# The name that abra uses for the Docker engine of this host.
_SERVER = "default"
_QUERY_SECONDS = 60.0
_CHANGE_SECONDS = 300.0
_COMMITTING = 300.0

# The flags used with each command. `Abra.check` looks for them in the output of --help.
_DEPLOY = ("app", "deploy")
_INSERT = ("app", "secret", "insert")
_UNDEPLOY = ("app", "undeploy")
_FLAGS: Mapping[tuple[str, ...], Sequence[str]] = {
    _DEPLOY: ("--no-input", "--offline", "--force", "--chaos", "--no-domain-checks", "--no-converge-checks"),
    _INSERT: ("--no-input", "--file"),
    _UNDEPLOY: ("--no-input",),
}
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_FATAL = re.compile(rb"\bFATA\b:?\s*(.*)")
_ABRA_FAULTS = (
    (r"unknown (?:flag|command|shorthand)", "Canon does not support this version of abra: install the current one"),
    (r"\bTTY\b|/dev/tty|not a terminal", "this abra wants a terminal, which a service has none of"),
    (r"^EOF$", "it asked for something, though it was told that nobody answers"),
    (r"unstaged changes|already deployed|cannot find app", "this is a fault of Canon's: report it"),
)
_ALREADY_EXISTS = re.compile(rb"AlreadyExists|already exists")
_AUTHOR = {"user.name": "Canon", "user.email": "canon@localhost"}


@frozen
class AbraDir:
    """The folder that abra gets as `ABRA_DIR`. Each app has its own.

    * `folder`: its path.
    * `app`: the name of the app's stack.
    * `recipe`: the name of the app's recipe.
    """

    folder: Path
    app: str
    recipe: str

    @property
    def checkout(self) -> Path:
        return self.folder / "recipes" / self.recipe

    @property
    def variables(self) -> Path:
        return self.folder / "servers" / _SERVER / f"{self.app}.env"

    def write_variables(self, version: str, settings: Mapping[str, str]) -> None:
        """Write `settings` to the app's .env file, in place of an earlier one. Only the owner of the file can read it.

        `version` is the release that abra must use; with "", the file names none. The file also gets a line TYPE with
        the recipe and the version. A setting that is named TYPE is therefore left out.
        """
        self.variables.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pinned = f"{self.recipe}:{version}" if version else self.recipe
        # The sample's TYPE is the maintainers' name of the recipe, not the name of its folder here.
        lines = [f"{name}={_quoted(value)}\n" for name, value in settings.items() if name != "TYPE"]
        app_directory.replace_file(self.variables, "".join([f"TYPE={pinned}\n", *lines]), 0o600)

    def copy_recipe(self, source: Path, added: Mapping[str, Path]) -> None:
        """Replace abra's recipe folder by a copy of the release in the folder `source`, and add overlays to it.

        `added` maps the name of each overlay in the recipe folder to the present path of the overlay.
        """
        shutil.rmtree(self.checkout, ignore_errors=True)
        shutil.copytree(source, self.checkout, symlinks=True)
        for name, file in added.items():
            shutil.copyfile(file, self.checkout / name)


@frozen
class Abra:
    """Runs `abra`, and git for it.

    * `environment`: the environment of both programs.
    * `lock`: the descriptor of the pass lock, which a command of abra that changes something inherits; None for none.
    * `changing`: how many seconds a command of abra that changes something may take.
    * `known`: the commands for which `check` found that abra has all flags.
    """

    environment: Mapping[str, str]
    lock: int | None = None
    changing: float = _CHANGE_SECONDS
    known: dict[tuple[str, ...], bool] = field(factory=dict)

    def check(self) -> None:
        """Check that the installed abra has all flags that Canon uses. Commands that passed once are not checked again.

        Raise InfrastructureError if a flag is missing, or if abra is not installed.
        """
        for command, flags in _FLAGS.items():
            if command in self.known:
                continue
            text = _plain_output(
                self._capture(CommandSpec(("abra", *command, "--help"), self.environment, Path("/"), _QUERY_SECONDS))
            )
            lacking = [flag for flag in flags if not re.search(rf"{re.escape(flag)}\b".encode(), text)]
            if lacking:
                raise InfrastructureError(
                    f"abra {' '.join(command)} has no {', '.join(lacking)}",
                    "Canon does not support this version of abra: install the current one",
                )
            self.known[command] = True

    def commit(self, home: AbraDir, version: str) -> None:
        """Make a git repository with one commit of the files that `AbraDir.copy_recipe` copied.

        abra requires a git repository. If `version` is the name of a release, and not of a branch or commit, the commit
        gets it as a tag. Raise InfrastructureError if git fails.
        """
        self._git(home, "init", "--quiet")
        self._git(home, "add", "--all", "--force")
        self._git(home, "commit", "--quiet", "--allow-empty", "--message", version)
        if is_release_name(version):
            self._git(home, "tag", "--annotate", "--message", version, "--", version)

    def deploy(self, home: AbraDir, version: str) -> None:
        """Deploy the release `version` by `abra app deploy`. Do not wait until the app is up.

        If `version` is the name of a branch or commit, abra deploys the files in `home` as they are (--chaos). If the
        deployment fails, raise RecipeError if the release is to blame, and InfrastructureError if not.
        """
        flags = ("--no-input", "--offline", "--force", "--no-domain-checks", "--no-converge-checks")
        chosen = (home.app, version) if is_release_name(version) else ("--chaos", home.app)
        self._call(home, _DEPLOY, (*flags, *chosen))

    def insert_secret(self, home: AbraDir, name: str, version: str, content: Path) -> None:
        """Make the secret `name` in the version `version`, from the file `content`. Do nothing if it exists.

        abra gets the path of the file, because all users of a host can read the arguments of a program. Raise
        InfrastructureError if abra fails.
        """
        words = ("--no-input", home.app, name, version, "--file", str(content))
        self._call(home, _INSERT, words, allowed=_ALREADY_EXISTS)

    def undeploy(self, home: AbraDir) -> None:
        self._call(home, _UNDEPLOY, ("--no-input", home.app))

    def _call(
        self, home: AbraDir, command: tuple[str, ...], words: Sequence[str], allowed: re.Pattern[bytes] | None = None
    ) -> None:
        """Run a command of abra that changes something, such as ("app", "deploy"), with the arguments `words`.

        If it fails, raise RecipeError if the release is to blame, and InfrastructureError if not. But if the output of
        the failed command matches the pattern `allowed`, raise nothing. If `allowed` is None, every failure raises an
        error.
        """
        environment = {**self.environment, "ABRA_DIR": str(home.folder), "GIT_TERMINAL_PROMPT": "0"}
        spec = CommandSpec(("abra", *command, *words), environment, home.folder, self.changing, holding=self.lock)
        output = self._capture(spec)
        failure = _failure(command, output, self.changing)
        if failure is not None and not (allowed and allowed.search(_plain_output(output))):
            raise failure

    def _capture(self, spec: CommandSpec) -> CapturedOutput:
        output = capture(spec)
        if output.result.missing:
            raise InfrastructureError("abra: not found in PATH", "install Co-op Cloud's command where children find it")
        return output

    def _git(self, home: AbraDir, *words: str) -> None:
        argv = git_argv(*words, settings=_AUTHOR)
        spec = CommandSpec(argv, git_environment(self.environment), home.checkout, _COMMITTING)
        output = capture(spec)
        if not output.ok:
            raise InfrastructureError(f"{home.recipe}: git {words[0]} for abra: {error_line(output.err)}")


def _failure(command: tuple[str, ...], output: CapturedOutput, deadline: float) -> CanonError | None:
    """Return the error of a call of abra; None if it succeeded. A fatal message is an error, even with exit code 0.

    `command` names the call, such as ("app", "deploy"). `output` is how it ended and what it printed. `deadline` is how
    many seconds it had. None does not prove that something was deployed: the driver asks Docker for that.
    """
    what = f"abra {' '.join(command)}"
    if output.result.timed_out:
        return InfrastructureError(
            f"{what}: did not end within {deadline:.0f} s", "run it by hand, and see what it waits for"
        )
    fatal = _FATAL.search(_plain_output(output))
    if output.ok and fatal is None:
        return None
    text = fatal[1] if fatal else _last_line(_plain_output(output))
    for words, hint in _ABRA_FAULTS:
        if re.search(words.encode(), text):
            return InfrastructureError(f"{what}: {one_line(text)}", hint)
    return classify_failure(what, text, of_recipe=command == _DEPLOY)


def _plain_output(output: CapturedOutput) -> bytes:
    """Return what abra wrote to stderr and then to stdout, without escape sequences of terminals.

    Each carriage return becomes a line end.
    """
    return _ESCAPES.sub(b"", output.err + b"\n" + output.out).replace(b"\r", b"\n")


def _last_line(text: bytes) -> bytes:
    return next((line for line in reversed(text.splitlines()) if line.strip()), b"")


def _quoted(value: str) -> str:
    """Return `value` in quotes, for an .env file: in single quotes if it has neither a single quote nor a line end.

    No character is special in single quotes. Any other value gets double quotes, and escapes.
    """
    if "'" not in value and "\n" not in value:
        return f"'{value}'"
    escaped = re.sub(r'([\\"$`])', r"\\\1", value).replace("\n", "\\n")
    return f'"{escaped}"'
