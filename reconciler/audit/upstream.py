"""Asks an upstream for its tags with git, and compares the recorded releases with them."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.audit.claims import Claim, checked, not_asked
from reconciler.audit.programs import Programs
from reconciler.audit.records import ClaimedRelease

_TAGS, _PEELED = "refs/tags/", "^{}"
_FIELDS = 2


def upstream_refs(programs: Programs, url: str) -> Mapping[str, str] | str:
    """Return the commit of each ref of the upstream at the address `url`, by full name such as "refs/tags/1.0.0".

    The name "HEAD" has the commit of the main branch. An annotated tag has the commit behind its tag object. If
    upstream could not be asked, return the reason as text.
    """
    listed = programs.git("ls-remote", "--", url)
    if not listed.ok:
        return listed.why
    refs: dict[str, str] = {}
    for line in listed.out.decode("utf-8", "surrogateescape").splitlines():
        fields = line.split("\t")
        if len(fields) == _FIELDS:
            # A peeled tag follows its tag object, and replaces it.
            refs[fields[1].removesuffix(_PEELED)] = fields[0]
    return refs


def tag_claims(recipe: str, canonicals: Sequence[ClaimedRelease], refs: Mapping[str, str] | str) -> Iterator[Claim]:
    """Yield one claim: upstream has the tag of the newest recorded generation on the recorded commit.

    * `canonicals`: the recorded generations. If there are none, yield nothing.
    * `refs`: maps each ref of upstream to its commit. If upstream could not be asked, `refs` is the reason as text, and
      the claim is NOT_ASKED.
    """
    if not canonicals:
        return
    newest = max(canonicals, key=lambda canonical: canonical.generation)
    about = f"tag {newest.version}"
    if isinstance(refs, str):
        yield not_asked(recipe, about, f"upstream could not be asked: {refs}")
    else:
        yield checked(recipe, about, _tag_problem(newest, refs))


def _tag_problem(canonical: ClaimedRelease, refs: Mapping[str, str]) -> str:
    """Return a text on how upstream's tag differs from the recorded release; "" if it names the recorded commit."""
    # One release may have two tags, with and without a leading v, on the same commit.
    twins = (canonical.version, f"v{canonical.version}", canonical.version.removeprefix("v"))
    commits = [refs[f"{_TAGS}{name}"] for name in dict.fromkeys(twins) if f"{_TAGS}{name}" in refs]
    if canonical.commit in commits:
        return ""
    if commits:
        return f"it is recorded as {canonical.commit[:12]}, and upstream names {commits[0][:12]}"
    return "upstream has no such tag"
