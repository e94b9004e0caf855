"""What a mirror's refs are, and what has to change in them: text in, decisions out."""

import re
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from reconciler.host.text import decoded, ref_bytes
from state.records import Answer

HEADS = "refs/heads/"
TAGS = "refs/tags/"
INCOMING = "refs/incoming/"

# A ref, or below an annotated tag what it peels to.
_PACKED = re.compile(rb"\^([0-9a-f]{40})|([0-9a-f]{40}) (refs/.+)")


@frozen
class RefTarget:
    """What a ref names: an object, and what that peels to, which is the same but for annotated tags."""

    named: str
    peeled: str


@frozen
class Refs:
    """Branches and tags of a repository, by their names without `refs/…/`."""

    heads: Mapping[str, RefTarget] = field(factory=dict)
    tags: Mapping[str, RefTarget] = field(factory=dict)

    @property
    def head(self) -> str | None:
        """The commit of the one branch that a mirror has, "" where upstream names none.

        None where an update did not come to its end.
        """
        commits = [branch.peeled for branch in self.heads.values()]
        return None if len(commits) > 1 else next(iter(commits), "")


@frozen
class RefPlan:
    """What a mirror has to become; `branch` and `head` are "" where upstream names no main branch.

    `fetched` are names of tags; `stays` names tags to keep as they are.
    """

    branch: str
    head: str
    fetched: Mapping[str, str]
    stays: Mapping[str, str]
    dropped: tuple[str, ...]
    fetch_head: bool

    @property
    def refspecs(self) -> tuple[str, ...]:
        """What to fetch, by full names; never forced, for they arrive in an empty repository."""
        head = (f"{HEADS}{self.branch}:{HEADS}{self.branch}",) if self.fetch_head else ()
        return head + tuple(f"{TAGS}{name}:{TAGS}{name}" for name in self.fetched)


def read_show_ref(raw: bytes) -> Refs:
    """What `git show-ref --dereference` prints."""
    return _sorted_out(line.partition(b" ")[::2] for line in raw.splitlines())


def read_packed_refs(raw: bytes) -> Refs | None:
    """The file `packed-refs`; None where it is not whole, or git does not say that it peeled all that can be."""
    head, *lines = raw.split(b"\n")
    if lines[-1:] != [b""] or b" fully-peeled " not in head:
        return None
    pairs: list[tuple[bytes, bytes]] = []
    for line in lines[:-1]:
        match = _PACKED.fullmatch(line)
        if match is None or (match[1] and not pairs):
            return None
        pairs.append((match[1], pairs[-1][1] + b"^{}") if match[1] else (match[2], match[3]))
    return _sorted_out(pairs)


def _sorted_out(pairs: Iterable[tuple[bytes, bytes]]) -> Refs:
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


def plan_refs(held: Refs, answer: Answer, tags: Mapping[str, str]) -> RefPlan:
    """What to do so that a mirror which holds `held` has upstream's main branch and just the release tags `tags`.

    A tag that we hold at its commit stays, also if upstream annotated it anew. One that upstream no longer has at
    that commit cannot be had: what we hold under its name stays.
    """
    stays = {name: commit for name, commit in tags.items() if name in held.tags and held.tags[name].peeled == commit}
    missing = {name: commit for name, commit in tags.items() if name not in stays}
    fetched = {name: commit for name, commit in missing.items() if answer.tags.get(name) == commit}
    kept = {name: held.tags[name].peeled for name in missing if name not in fetched and name in held.tags}
    dropped = tuple(sorted(name for name in held.tags if name not in tags))
    head = held.heads.get(answer.branch)
    fetch_head = bool(answer.branch) and (head is None or head.peeled != answer.head)
    return RefPlan(answer.branch, answer.head, fetched, stays | kept, dropped, fetch_head)


def update_ref_input(held: Refs, goal: RefPlan, arrived: Refs) -> bytes:
    """Input of `git update-ref -z --stdin` that makes of `held` what `goal` says, or fails and changes nothing.

    `arrived` are the refs that came in, which now also stand below `refs/incoming/` and are removed there.
    """
    changes = [_delete(INCOMING + "heads/", name, ref) for name, ref in arrived.heads.items()]
    changes += [_delete(INCOMING + "tags/", name, ref) for name, ref in arrived.tags.items()]
    changes += [_set(HEADS, name, ref, held.heads.get(name)) for name, ref in arrived.heads.items()]
    changes += [_set(TAGS, name, ref, held.tags.get(name)) for name, ref in arrived.tags.items()]
    changes += [_delete(HEADS, name, ref) for name, ref in held.heads.items() if name != goal.branch]
    changes += [_delete(TAGS, name, held.tags[name]) for name in goal.dropped]
    return b"".join([b"start\0", *changes, b"prepare\0", b"commit\0"]) if changes else b""


def delete_conflicting_branches(held: Refs, branch: str) -> bytes:
    """A transaction that deletes branches which could not exist beside `branch`, being a folder of it or in it."""
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
