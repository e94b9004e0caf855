"""The audit: compares the records with upstreams, mirrors, snapshots, the ledger and what runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from reconciler.audit.claims import Audit, Claim, checked
from reconciler.audit.decisions import decision_claims
from reconciler.audit.deployment import deployment_claims, process_claims
from reconciler.audit.ledger_chain import chain_claims, head_of
from reconciler.audit.ledger_history import RecipeHistory, histories
from reconciler.audit.mirror import mirror_claims
from reconciler.audit.programs import Programs
from reconciler.audit.records import (
    ClaimedRelease,
    ClaimedTags,
    NotReadableError,
    canonical_of,
    memory_of,
    record_claims,
)
from reconciler.audit.registry_file import StoredRows, read_registry
from reconciler.audit.snapshot import snapshot_claims
from reconciler.audit.upstream import tag_claims, upstream_refs

_AT_ONCE = 8


@frozen
class AuditRequest:
    """What to audit.

    * `state`: the state folder.
    * `state_id`: the id of the state folder; "" if it has none.
    * `upstreams`: the URL of the upstream of each declared recipe.
    * `scripts`: SQL scripts. The first N of them make an empty registry of format N.
    * `only`: the recipes to audit; empty for all.
    * `head`: the hash of a ledger line that a person wrote down earlier, or its first digits; "" for none.
    """

    state: Path
    state_id: str
    upstreams: Mapping[str, str]
    scripts: Sequence[str]
    only: Collection[str] = ()
    head: str = ""


@frozen
class _Context:
    request: AuditRequest
    registry: StoredRows
    histories: Mapping[str, RecipeHistory]
    programs: Programs


def audit(request: AuditRequest, programs: Programs) -> Audit:
    """Check each claim (one statement of the records) on what `request` names. Return the claims with their verdicts.

    First come the claims on the whole state folder, then those on each recipe.

    A damaged record or file is no error, but a claim that disagrees. Nothing is changed. `programs` runs git and
    Docker. Raise OSError if the state folder cannot be read.
    """
    registry = read_registry(request.state / "canon.db", request.scripts)
    context = _Context(request, registry, histories(registry.ledger), programs)
    claims = [*registry.claims, *chain_claims(registry.ledger, registry.head, request.head)]
    claims += process_claims(request.state)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="audit") as pool:
        try:
            found = list(pool.map(lambda name: list(_recipe_claims(context, name)), _names(context)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Audit((*claims, *(claim for of_recipe in found for claim in of_recipe)), head_of(registry.ledger))


def _names(context: _Context) -> list[str]:
    """Return the names of all recipes that have a record, a ledger line, a snapshot or a mirror, sorted.

    If the field `only` of the request names recipes, return only these.
    """
    request = context.request
    names = {row.recipe for row in context.registry.records} | context.registry.generations.keys()
    names |= context.histories.keys()
    names |= {path.name for path in _entries(request.state / "canonicals")}
    names |= {path.stem for path in _entries(request.state / "mirrors") if _is_mirror(path)}
    return sorted(name for name in names if not request.only or name in request.only)


def _is_mirror(path: Path) -> bool:
    """Return whether an entry of the folder `mirrors/` is a mirror.

    Other entries are locks, and repositories into which a pass fetches.
    """
    return path.suffix == ".git" and not path.name.startswith(".")


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _recipe_claims(context: _Context, name: str) -> Iterator[Claim]:
    """Yield the claims about the recipe `name`. If `name` cannot name a recipe, yield one claim that says so."""
    if "/" in name or "\0" in name or name in {"", ".", ".."}:
        yield checked(name, "name", f"{name!r} is recorded, and is no name of a recipe")
        return
    request, history = context.request, context.histories.get(name, RecipeHistory())
    yield from record_claims(context.registry, name, history)
    yield from decision_claims(context.registry, name, history)
    canonicals, memory = _canonicals(context.registry, name), _memory(context.registry, name)
    url = request.upstreams.get(name)
    refs = upstream_refs(context.programs, url) if url is not None else "it is not declared"
    yield from tag_claims(name, canonicals, refs)
    yield from mirror_claims(name, request.state / "mirrors" / f"{name}.git", memory, refs, context.programs)
    begun = max((int(intent.body["generation"]) for intent in history.open_intents.values()), default=0)
    yield from snapshot_claims(name, request.state / "canonicals" / name, canonicals, begun)
    newest = canonicals[-1] if canonicals else None
    yield from deployment_claims(name, request.state / "kept", request.state_id, newest, context.programs)
    if newest is not None:
        log = request.state / newest.log
        yield checked(name, "log of its trial", "" if log.is_dir() else f"{newest.log} is missing")


def _canonicals(registry: StoredRows, name: str) -> list[ClaimedRelease]:
    """Return the recorded generations of the recipe `name`, the oldest first. Unreadable records are left out."""
    canonicals: list[ClaimedRelease] = []
    for row in registry.of("canonical", name):
        try:
            canonicals.append(canonical_of(row))
        except NotReadableError:
            continue  # its record is a claim of its own
    return sorted(canonicals, key=lambda canonical: canonical.generation)


def _memory(registry: StoredRows, name: str) -> ClaimedTags:
    """Return what is recorded of the upstream of the recipe `name`: its tags and main branch.

    If there is no record, or if it cannot be read, the result has no tags, branch or commit.
    """
    for row in registry.of("memory", name):
        try:
            return memory_of(row)
        except NotReadableError:
            break  # its record is a claim of its own
    return ClaimedTags({}, None, None)
