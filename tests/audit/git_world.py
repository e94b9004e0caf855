"""A world whose upstreams and mirrors are real git repositories, and an audit of its state folder."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import Factory, define, field

from reconciler.audit.audit import AuditRequest, audit
from reconciler.audit.claims import Audit
from reconciler.audit.programs import Printed
from reconciler.host.git.git_command import git_argv, git_environment
from reconciler.host.git.mirrors import GitMirrors
from reconciler.host.git.upstream import GitUpstream
from reconciler.ports.repositories import Alterations
from state.registry.database import STEPS
from tests.repositories import UpstreamRepository
from tests.world import Behaviour, World
from tests.world_mirrors import WorldMirrors

CHILDREN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}


class MirrorsByGit(GitMirrors):
    """Real mirrors, whose checkouts hold only what the apps of a world read."""

    def checkout(self, name: str, commit: str, into: Path) -> None:
        assert self.resolve(name, commit) == commit
        into.mkdir(parents=True)
        (into / "COMMIT").write_text(f"{name} {commit}")

    def alterations(self, name: str, commit: str, folder: Path) -> Alterations:
        return WorldMirrors.alterations(None, name, commit, folder)  # type: ignore[arg-type]  # it reads no world


Facts = tuple[tuple[str, int, int], ...]


@define
class GitProgram:
    """Runs git for an audit; there is no Docker.

    What git printed about a repository counts for every copy of it, until a file of the copy is changed.
    """

    printed: dict[tuple[Facts, tuple[str, ...], bytes], Printed] = field(factory=dict)

    def git(self, *arguments: str, stdin: bytes = b"") -> Printed:
        path, rest = _repository(arguments)
        key = (_facts(path), (path.name, *rest), stdin)
        if key not in self.printed:
            self.printed[key] = self._run(*arguments, stdin=stdin)
        return self.printed[key]

    def _run(self, *arguments: str, stdin: bytes = b"") -> Printed:
        done = subprocess.run(
            git_argv(*arguments),
            env=git_environment(CHILDREN, ("file",)),
            cwd="/",
            input=stdin,
            capture_output=True,
            check=False,
        )
        return Printed(done.returncode, done.stdout, done.stderr)

    def docker(self, *arguments: str) -> Printed:  # noqa: ARG002  the protocol's
        return Printed(None, b"", b"it is not installed")


@define
class GitWorld:
    """A world with real git, in the folder `root`."""

    root: Path
    world: World = field(init=False)
    upstreams: dict[str, UpstreamRepository] = field(factory=dict)
    git: GitProgram = Factory(GitProgram)

    def __attrs_post_init__(self) -> None:
        self.world = World(self.root, wrap=self._with_git)

    def _with_git(self, name: str, port: object) -> object:
        ports: Mapping[str, Callable[[], object]] = {
            "upstream": lambda: GitUpstream(CHILDREN, ("file",)),
            "mirrors": lambda: MirrorsByGit(self.world.state, CHILDREN, ("file",)),
        }
        return ports[name]() if name in ports else port

    def declare(self, name: str) -> None:
        repository = UpstreamRepository.make(self.root / "upstreams" / f"{name}.git")
        self.upstreams[name] = repository
        self.world.declare(name, upstream=f"file://{repository.path}")

    def release(self, name: str, version: str, behaviour: Behaviour | None = None, *, annotated: bool = False) -> str:
        """Publish a release on a new commit, and return the commit. An existing tag of that name moves."""
        commit = self.upstreams[name].commit({"VERSION": f"{name} {version}".encode()})
        self.upstreams[name].tag(version, annotated=annotated)
        self.world.behaviours[commit] = behaviour or Behaviour()
        return commit

    def audit(self, state: Path | None = None, head: str = "") -> Audit:
        """Audit the state folder of this world, or a copy of it."""
        urls = {name: f"file://{each.path}" for name, each in self.upstreams.items()}
        return audit(AuditRequest(state or self.world.state.root, "", urls, STEPS, head=head), self.git)


def _repository(arguments: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """Return the path of the repository that a call names, and its other arguments."""
    if arguments[0].startswith("--git-dir="):
        return Path(arguments[0].removeprefix("--git-dir=")), arguments[1:]
    return Path(arguments[-1].removeprefix("file://")), arguments[:-1]


def _facts(repository: Path) -> Facts:
    """Return path, size and time of each file of a repository."""
    files = sorted(path for path in repository.rglob("*") if path.is_file())
    return tuple((str(path.relative_to(repository)), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
