"""What a pass leaves in a state folder."""

from pathlib import Path

from tests.repositories import git


def remains_of(state: Path) -> tuple[str, ...]:
    """Its files but for logs and git's objects, and the refs of its mirrors.

    A git that was killed between two of its steps leaves a ref in a file of its own, which another one packs: both say
    the same.
    """
    mirrors = sorted((state / "mirrors").glob("*.git"))
    refs = [f"{mirror.name} {line}" for mirror in mirrors for line in git(mirror, "show-ref").decode().splitlines()]
    told_by_git = {mirror / name for mirror in mirrors for name in ("refs", "packed-refs")}
    files = [
        str(path.relative_to(state))
        for path in state.rglob("*")
        if not {"objects", "logs"} & {*path.parts} and not told_by_git & {path, *path.parents}
    ]
    return (*sorted(files), *refs)
