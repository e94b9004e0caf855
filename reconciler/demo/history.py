"""Turns the commits of the demo's upstreams into input for `git fast-import`, which is the same on every host."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

MAINTAINERS = "The maintainers <maintainers@house.example>"
BEGAN = datetime(2025, 1, 6, 9, tzinfo=UTC)

Tree = Mapping[str, bytes]


@frozen
class Commit:
    """A commit of an upstream.

    * `week`: the time of the commit, in weeks since BEGAN.
    * `lays`: the folder with the files that the commit adds or changes. All other files stay as in the commit before.
    * `tags`: the annotated tags of the commit.
    * `light`: its lightweight tags.
    """

    week: int
    lays: str
    message: str
    tags: tuple[str, ...] = ()
    light: tuple[str, ...] = ()


@frozen
class History:
    """The commits that an upstream has when the story begins. `kit` names shared files that each commit has too."""

    commits: tuple[Commit, ...]
    kit: tuple[str, ...] = ("serving.py", "store.py")


@frozen
class Publication:
    """What the upstream of `recipe` publishes during the story.

    * `commits`: new commits, on top of the main branch.
    * `branch`: the branch to which the new commits are added. A branch other than main begins at the end of main.
    * `moves`: existing tags that are moved to the last of the commits.
    """

    recipe: str
    commits: tuple[Commit, ...] = ()
    branch: str = "main"
    moves: tuple[str, ...] = ()


def fast_import_stream(
    branch: str, start: str, commits: Sequence[tuple[Commit, Tree]], moves: Sequence[str] = ()
) -> bytes:
    """Return input for `git fast-import` that adds commits and their tags to the branch `branch`.

    * `start`: the commit on which the first new commit is based; "" for none.
    * `commits`: the new commits, each with all its files.
    * `moves`: existing tags that are moved to the last new commit.
    """
    parts: list[bytes] = []
    for number, (commit, tree) in enumerate(commits, start=1):
        parts += _commit(branch, number, start if number == 1 else f":{number - 1}", commit, tree)
        parts += [part for tag in commit.tags for part in _tag(tag, number, commit)]
        parts += [_line(f"reset refs/tags/{tag}") + _line(f"from :{number}\n") for tag in commit.light]
    parts += [part for tag in moves for part in _tag(tag, len(commits), commits[-1][0])]
    return b"".join([*parts, _line("done")])


def _commit(branch: str, number: int, start: str, commit: Commit, tree: Tree) -> Iterator[bytes]:
    """Yield the input for `git fast-import` that makes one commit on `branch`, with the files of `tree` and no others.

    * `number`: the number by which later input names the commit.
    * `start`: the commit before this one; "" if this one is the first of its repository.
    """
    yield _line(f"commit refs/heads/{branch}") + _line(f"mark :{number}")
    yield _line(f"author {_signed(commit)}") + _line(f"committer {_signed(commit)}")
    yield _data(commit.message.encode() + b"\n")
    yield _line(f"from {start}") if start else b""
    yield _line("deleteall")
    for path, content in sorted(tree.items()):
        yield _line(f"M 100644 inline {path}") + _data(content)


def _tag(name: str, number: int, commit: Commit) -> Iterator[bytes]:
    """Yield the input for `git fast-import` that makes an annotated tag on the commit with this number."""
    yield _line(f"tag {name}") + _line(f"from :{number}")
    yield _line(f"tagger {_signed(commit)}") + _data(f"chore: publish {name}\n".encode())


def _signed(commit: Commit) -> str:
    """Return the author and time of a commit in the form that `git fast-import` reads."""
    return f"{MAINTAINERS} {int((BEGAN + timedelta(weeks=commit.week)).timestamp())} +0000"


def _data(content: bytes) -> bytes:
    return _line(f"data {len(content)}") + content + b"\n"


def _line(text: str) -> bytes:
    return text.encode() + b"\n"
