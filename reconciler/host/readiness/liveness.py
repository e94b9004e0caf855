"""Whether an app that was ready has stayed up since. Pure."""

from datetime import timedelta

from reconciler.ports.app import EndedPart, NotRunning, RunningApp

# What was up for that long when it ended was a service, though it ended with 0 and is not to be started again.
LONGEST_ONE_SHOT = timedelta(seconds=10)


def ended_since(ready: RunningApp, now: RunningApp | NotRunning) -> EndedPart | None:
    """What of an app ended by itself after it was seen `ready`; None where it stayed up.

    Where several parts did, the host's fault goes before the recipe's.
    """
    if isinstance(now, NotRunning):
        return EndedPart(now.reason or "nothing of it runs")
    if now.failure:
        return EndedPart(now.failure)
    ended = [ending for part, ending in now.ended.items() if part not in ready.ended and _counts(ready, part, ending)]
    missing = sorted(ready.up - now.up - now.ended.keys())
    ended += [EndedPart(f"{part} is gone, and nothing tells how it ended") for part in missing]
    of_host = [ending for ending in ended if ending.is_host_fault]
    said = dict.fromkeys(ending.message for ending in of_host or ended)
    stopped = bool(of_host) and all(ending.stopped for ending in of_host)
    return EndedPart("; ".join(said), is_host_fault=bool(of_host), stopped=stopped) if said else None


def _counts(ready: RunningApp, part: str, ending: EndedPart) -> bool:
    """A one-shot that came to a good end counts only where it had been up like a service."""
    return not ending.succeeded or (part in ready.up and ending.duration >= LONGEST_ONE_SHOT)
