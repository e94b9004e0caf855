"""The refs of a mirror, and how an update changes them. Pure: parses what git prints, and writes what it reads."""

import re
from collections.abc import Collection, Iterable, Mapping

from attrs import field, frozen

from reconciler.host.text import decoded, ref_bytes
from state.records import Answer

HEADS = "refs/heads/"
TAGS = "refs/tags/"
INCOMING = "refs/incoming/"

# A line of `packed-refs`: a ref, or the object that the annotated tag above it peels to.
_PACKED = re.compile(rb"\^([0-9a-f]{40})|([0-9a-f]{40}) (refs/.+)")


@frozen
class RefTarget:
    """Where a ref of git leads, as ids of objects.

    `named` is the object that the ref itself names. `peeled` is the object behind it, usually a commit. The two differ
    only for an annotated tag, which names a tag object.
    """

    named: str
    peeled: str


@frozen
class Refs:
    """The branches and tags of a repository. The keys are their names without `refs/heads/` and `refs/tags/`."""

    heads: Mapping[str, RefTarget] = field(factory=dict)
    tags: Mapping[str, RefTarget] = field(factory=dict)

    @property
    def head(self) -> str | None:
        """Return the commit of the only branch; "" if there is no branch, because upstream has no main branch.

        Return None if there are several branches: an update of the mirror was interrupted.
        """
        commits = [branch.peeled for branch in self.heads.values()]
        return None if len(commits) > 1 else next(iter(commits), "")


@frozen
class RefPlan:
    """How an update changes the refs of a mirror.

    * `branch`, `head`: upstream's main branch and its commit; "" if there is none.
    * `fetched`: the tags to fetch, with their commits.
    * `stays`: the tags that stay as they are, with their commits.
    * `dropped`: the tags to delete.
    * `fetch_head`: True if the main branch must be fetched too.
    """

    branch: str
    head: str
    fetched: Mapping[str, str]
    stays: Mapping[str, str]
    dropped: tuple[str, ...]
    fetch_head: bool

    @property
    def refspecs(self) -> tuple[str, ...]:
        """Return what to fetch as refspecs of git, FROM:TO with full ref names: the main branch first, then the tags.

        The refspecs need no `+`, because git fetches them into an empty repository.
        """
        head = (f"{HEADS}{self.branch}:{HEADS}{self.branch}",) if self.fetch_head else ()
        return head + tuple(f"{TAGS}{name}:{TAGS}{name}" for name in self.fetched)


def read_show_ref(raw: bytes) -> Refs:
    """Return the branches and tags in `raw`, the output of `git show-ref --dereference`."""
    return _group_refs(line.partition(b" ")[::2] for line in raw.splitlines())


def read_packed_refs(raw: bytes) -> Refs | None:
    """Return the branches and tags in `raw`, the content of git's file `packed-refs`.

    Return None if the file is damaged or cut off. Return None too if its first line lacks the word "fully-peeled": the
    file may then not say which objects annotated tags name.
    """
    head, *lines = raw.split(b"\n")
    if lines[-1:] != [b""] or b" fully-peeled " not in head:
        return None
    pairs: list[tuple[bytes, bytes]] = []
    for line in lines[:-1]:
        match = _PACKED.fullmatch(line)
        if match is None or (match[1] and not pairs):
            return None
        pairs.append((match[1], pairs[-1][1] + b"^{}") if match[1] else (match[2], match[3]))
    return _group_refs(pairs)


def _group_refs(pairs: Iterable[tuple[bytes, bytes]]) -> Refs:
    named: dict[str, str] = {}
    peeled: dict[str, str] = {}
    for oid, raw in pairs:
        name = decoded(raw)
        (peeled if name.endswith("^{}") else named)[name.removesuffix("^{}")] = oid.decode("ascii")
    both = {name: RefTarget(oid, peeled.get(name, oid)) for name, oid in named.items()}
    return Refs(
        {name.removeprefix(HEADS): ref for name, ref in both.items() if name.startswith(HEADS)},
        {name.removeprefix(TAGS): ref for name, ref in both.items() if name.startswith(TAGS)},
    )


def plan_refs(held: Refs, answer: Answer, tags: Mapping[str, str], anew: Collection[str] = ()) -> RefPlan:
    """Return how to change the refs `held` of a mirror, so that it has upstream's main branch and the tags `tags`.

    `tags` maps each wanted tag to its commit. `answer` is what upstream answered.
    * A tag in `held` that is not wanted is dropped.
    * A tag in `held` on the wanted commit stays, even if its annotation has changed upstream. Only if it is in `anew`
      is it fetched again.
    * A wanted tag that `answer` does not have on the wanted commit cannot be fetched. If `held` has a tag of this name,
      on any commit, that tag stays.
    """
    again = {name for name in anew if name in tags and answer.tags.get(name) == tags[name]}
    there = {name for name, commit in tags.items() if name in held.tags and held.tags[name].peeled == commit}
    stays = {name: commit for name, commit in tags.items() if name in there - again}
    missing = {name: commit for name, commit in tags.items() if name not in stays}
    fetched = {name: commit for name, commit in missing.items() if answer.tags.get(name) == commit}
    kept = {name: held.tags[name].peeled for name in missing if name not in fetched and name in held.tags}
    dropped = tuple(sorted(name for name in held.tags if name not in tags))
    head = held.heads.get(answer.branch)
    fetch_head = bool(answer.branch) and (head is None or head.peeled != answer.head)
    return RefPlan(answer.branch, answer.head, fetched, stays | kept, dropped, fetch_head)


def update_ref_input(held: Refs, plan: RefPlan, arrived: Refs) -> bytes:
    """Return the input for `git update-ref -z --stdin` that changes the refs `held` as `plan` says, in one transaction.

    `arrived` are the fetched refs. They are also deleted from `refs/incoming/`, where they are now. Return b"" if there
    is nothing to change.
    """
    changes = [_delete(INCOMING + "heads/", name, ref) for name, ref in arrived.heads.items()]
    changes += [_delete(INCOMING + "tags/", name, ref) for name, ref in arrived.tags.items()]
    changes += [_set(HEADS, name, ref, held.heads.get(name)) for name, ref in arrived.heads.items()]
    changes += [_set(TAGS, name, ref, held.tags.get(name)) for name, ref in arrived.tags.items()]
    changes += [_delete(HEADS, name, ref) for name, ref in held.heads.items() if name != plan.branch]
    changes += [_delete(TAGS, name, held.tags[name]) for name in plan.dropped]
    return b"".join([b"start\0", *changes, b"prepare\0", b"commit\0"]) if changes else b""


def delete_conflicting_branches(held: Refs, branch: str) -> bytes:
    """Return the input for `git update-ref -z --stdin` that deletes the branches in `held` that conflict with `branch`.

    git stores branches as files: beside `a/b` it can store neither `a` nor `a/b/c`. `held` are the refs that the mirror
    has now. Return b"" if no branch conflicts.
    """
    names = [name for name in held.heads if f"{name}/".startswith(f"{branch}/") or f"{branch}/".startswith(f"{name}/")]
    changes = [_delete(HEADS, name, held.heads[name]) for name in names if name != branch]
    return b"".join([b"start\0", *changes, b"prepare\0", b"commit\0"]) if changes else b""


def _set(space: str, name: str, ref: RefTarget, before: RefTarget | None) -> bytes:
    ref_name = ref_bytes(space + name)
    if before is None:
        return b"create " + ref_name + b"\0" + ref.named.encode() + b"\0"
    return b"update " + ref_name + b"\0" + ref.named.encode() + b"\0" + before.named.encode() + b"\0"


def _delete(space: str, name: str, ref: RefTarget) -> bytes:
    return b"delete " + ref_bytes(space + name) + b"\0" + ref.named.encode() + b"\0"
