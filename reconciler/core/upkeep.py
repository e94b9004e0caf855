"""Whether a canonical that is kept running still stands as it was raised."""

from collections.abc import Mapping

from state.model import Upkeep


def why_down(generation: int, upkeep: Upkeep | None, parts: Mapping[str, str], lacks: str) -> str:
    """What differs from how `generation` was raised, "" where nothing does.

    `upkeep` is the account of what was raised, None where nothing was to its end; `parts` and `lacks` are seen now.
    """
    if upkeep is None:
        return "it was never raised to be kept running"
    if upkeep.generation != generation:
        return f"generation {upkeep.generation} was raised, and {generation} is recorded"
    gone = [f"{part} is gone" for part in upkeep.parts if part not in parts]
    changed = [
        f"{part} is {parts[part]}, and was {was}" for part, was in upkeep.parts.items() if parts.get(part, was) != was
    ]
    return "; ".join([*gone, *changed, *([lacks] if lacks else [])])
