"""Finds the commit of a ref that a person named, in a mirror or at upstream."""

import re

from attrs import frozen

from reconciler.core.ref_names import is_commit_id, is_full_name, ref_fault
from reconciler.host.git.quarantine import Quarantine
from reconciler.host.git.refs import HEADS, TAGS
from reconciler.host.git.repository import Repository

ASKED = "refs/asked/last"

_ABBREVIATED = re.compile(r"[0-9a-f]{4,40}")


def find_commit(repository: Repository, ref: str) -> str | None:
    """Return the commit that `ref` names in the mirror `repository`; None if `ref` is not valid, or names no commit.

    A short name is looked up as a tag first, then as a branch, then as an abbreviated commit id. A whole commit id
    always means that commit, and never a tag or a branch of that name. Raise InfrastructureError if git fails.
    """
    if ref_fault(ref) is not None:
        return None
    return next((commit for each in _names_in_mirror(ref) if (commit := repository.commit(each))), None)


def _names_in_mirror(ref: str) -> tuple[str, ...]:
    """Return the names to look up in a mirror for `ref`, in order.

    * For "abc1": refs/tags/abc1, refs/heads/abc1, and abc1 as an abbreviated commit id.
    * For a whole commit id, or the full name of a branch or tag: only `ref` itself.
    * For any other full name: (), because Canon has refs of its own with such names.
    """
    if is_commit_id(ref) or ref.startswith((TAGS, HEADS)):
        return (ref,)
    if is_full_name(ref):
        return ()
    return (f"{TAGS}{ref}", f"{HEADS}{ref}", *((ref,) if _ABBREVIATED.fullmatch(ref) else ()))


@frozen
class AskedRef:
    """A ref that a person named, which is fetched from the URL `upstream`."""

    upstream: str
    ref: str

    def fetch(self, quarantine: Quarantine) -> str | None:
        """Fetch the ref into `quarantine`, where it gets the name `refs/asked/last` (ASKED). Return its commit.

        Return None if upstream does not have the ref, or if the ref leads to no commit. Raise UpstreamError for a fault
        in upstream's repository, InfrastructureError if git fails for another reason.
        """
        if is_commit_id(self.ref):
            if not quarantine.fetch_commit(self.upstream, self.ref, ASKED):
                return None
        else:
            names = (self.ref,) if is_full_name(self.ref) else (f"{TAGS}{self.ref}", f"{HEADS}{self.ref}")
            source = quarantine.published(self.upstream, names)
            if source is None:
                return None
            quarantine.fetch(self.upstream, [f"{source}:{ASKED}"])
        return quarantine.repository.commit(ASKED)
