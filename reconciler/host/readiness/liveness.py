"""Decides whether an app that was ready has stayed up. Pure."""

from datetime import timedelta

from reconciler.ports.app import EndedPart, NotRunning, RunningApp

# A part that ran longer is a service and no one-shot, even if it ended with 0 and is not restarted.
LONGEST_ONE_SHOT = timedelta(seconds=10)


def ended_since(ready: RunningApp, now: RunningApp | NotRunning) -> EndedPart | None:
    """Return how parts of an app ended by themselves after it was seen `ready`; None if it stayed up.

    `now` is the app's present status. If the host is to blame for some of several parts, only those are reported.
    """
    if isinstance(now, NotRunning):
        return EndedPart(now.reason or "nothing of it runs")
    if now.failure:
        return EndedPart(now.failure)
    ended = [ending for part, ending in now.ended.items() if part not in ready.ended and _counts(ready, part, ending)]
    missing = sorted(ready.up - now.up - now.ended.keys())
    ended += [EndedPart(f"{part} is gone, and how it ended is unknown") for part in missing]
    of_host = [ending for ending in ended if ending.is_host_fault]
    messages = dict.fromkeys(ending.message for ending in of_host or ended)
    stopped = bool(of_host) and all(ending.stopped for ending in of_host)
    return EndedPart("; ".join(messages), is_host_fault=bool(of_host), stopped=stopped) if messages else None


def _counts(ready: RunningApp, part: str, ending: EndedPart) -> bool:
    """Whether the end of `part` means that the app did not stay up.

    A part that ended with success counts only if it was up when the app was ready, and ran for LONGEST_ONE_SHOT or
    more.
    """
    return not ending.succeeded or (part in ready.up and ending.duration >= LONGEST_ONE_SHOT)
