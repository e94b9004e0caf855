"""Makes real upstream repositories with git, normal or hostile ones."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import field, frozen

_IDENTITY = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}

# Dangerous names that git accepts for a tag. None of them is a release.
HOSTILE_TAGS: tuple[bytes, ...] = (
    b"--upload-pack=touch hacked".replace(b" ", b"\xc2\xa0"),
    b"--upload-pack=x",
    b"-oProxyCommand=x",
    b"$(id)",
    b"`id`",
    b"a;id",
    b"<script>alert(1)</script>",
    b'a{b="c"}',
    "1.0.0\u202e0.9".encode(),
    "1.0.0\u009b31m".encode(),
    "1.0.0\u2028x".encode(),
    b"1.0.0-\xff\xfe",
    b"x" * 250,
    b"a/b/c",
    b"%s%n",
    "1.0.\u0660".encode(),
)


def git(where: Path, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
    """Run git and return its stdout. Raises if git fails."""
    done = subprocess.run(["git", *arguments], cwd=where, env=_IDENTITY, input=stdin, capture_output=True, check=True)
    return done.stdout


@frozen
class UpstreamRepository:
    """A bare upstream repository in `path`, whose main branch is `branch`."""

    path: Path
    branch: str = "main"
    counter: list[int] = field(factory=lambda: [0])

    @classmethod
    def make(cls, path: Path, branch: str = "main") -> "UpstreamRepository":
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", f"--initial-branch={branch}", ".")
        return cls(path, branch)

    def git(self, *arguments: str | bytes, stdin: bytes = b"") -> str:
        return git(self.path, *arguments, stdin=stdin).decode("utf-8", "backslashreplace").strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def tree(self, files: Mapping[str, bytes], modes: Mapping[str, str] | None = None) -> str:
        """Write a tree of `files` (content by path). `modes` gives the mode of those that are no plain files."""
        mode = modes or {}
        lines = [f"{mode.get(path, '100644')} {self.blob(content)}\t{path}\n" for path, content in files.items()]
        (self.path / "index").unlink(missing_ok=True)
        self.git("update-index", "--add", "--index-info", stdin="".join(lines).encode())
        return self.git("write-tree")

    def commit_tree(self, tree: str, *parents: str) -> str:
        """Make a commit on no branch. It differs from all earlier ones."""
        self.counter[0] += 1
        options = [part for parent in parents for part in ("-p", parent)]
        return self.git("commit-tree", tree, *options, "-m", f"Change {self.counter[0]}")

    def commit(self, files: Mapping[str, bytes] | None = None, *, modes: Mapping[str, str] | None = None) -> str:
        """Commit exactly these files to the main branch. Returns the commit."""
        self.counter[0] += 1
        about = f"committer Ada <ada@example.org> 1700000000 +0000\ndata <<.\nChange {self.counter[0]}\n.\n"
        head = self.head()
        lines = [f"commit refs/heads/{self.branch}\n{about}".encode()]
        lines += [f"from {head}\n".encode()] if head else []
        lines += [b"deleteall\n"]
        for path, content in (files if files is not None else {"README": b"hello\n"}).items():
            lines += [
                f"M {(modes or {}).get(path, '100644')} inline {path}\ndata {len(content)}\n".encode(),
                content,
                b"\n",
            ]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        commit = self.head()
        assert commit
        return commit

    def head(self) -> str | None:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{self.branch}") or None

    def rewind(self, commit: str) -> None:
        """Set the main branch to `commit`, whatever it was."""
        self.git("update-ref", f"refs/heads/{self.branch}", commit)

    def tag(self, name: str | bytes, target: str | None = None, *, annotated: bool = False) -> str:
        """Make or move a tag. Returns the id that it names: of the tag object if it is annotated."""
        target = target or self.head()
        assert target
        named = self._tag_object(name, target) if annotated else target
        raw = name if isinstance(name, bytes) else name.encode()
        self.git("update-ref", b"refs/tags/" + raw, named)
        return named

    def tag_all(self, names: Iterable[str]) -> tuple[str, ...]:
        """Tag the head by many names at once."""
        head, made = self.head(), tuple(names)
        self.git("update-ref", "--stdin", stdin="".join(f"create refs/tags/{name} {head}\n" for name in made).encode())
        self.git("pack-refs", "--all")
        return made

    def _tag_object(self, name: str | bytes, target: str) -> str:
        kind = self.git("cat-file", "-t", target)
        raw = name if isinstance(name, bytes) else name.encode()
        head = f"object {target}\ntype {kind}\ntag ".encode() + raw
        text = head + b"\ntagger Ada <ada@example.org> 1700000000 +0000\n\nA release.\n"
        return self.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=text)

    def untag(self, name: str) -> None:
        self.git("update-ref", "-d", f"refs/tags/{name}")

    def refs(self) -> dict[str, str]:
        """Return every ref with the id that it names, unpeeled."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}
