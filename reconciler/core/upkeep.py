"""Whether a canonical that is kept running still stands as it was raised."""

from collections.abc import Mapping

from state.model import Damaged, Upkeep

NEVER = "it was never raised to be kept running, or not to the end"


def why_down(generation: int, account: Upkeep | Damaged | None, parts: Mapping[str, str], lacks: str) -> str:
    """What differs from how `generation` was raised, "" where nothing does.

    `account` tells what was raised; `parts` and `lacks` are seen now. What came beside them since then does no harm.
    """
    if account is None:
        return NEVER
    if isinstance(account, Damaged):
        return account.reason
    if account.missing:
        return account.missing
    if account.generation != generation:
        return f"generation {account.generation} was raised, and {generation} is recorded"
    if not (account.parts and parts):
        return lacks or "nothing of it is there"
    return "; ".join(filter(None, (*_differences(account.parts, parts), lacks)))


def _differences(raised: Mapping[str, str], parts: Mapping[str, str]) -> list[str]:
    gone = [f"{part} is gone" for part in raised if part not in parts]
    changed = [f"{part} is {parts[part]}, and was {was}" for part, was in raised.items() if parts.get(part, was) != was]
    return [*gone, *changed]
