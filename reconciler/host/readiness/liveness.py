"""Decides whether an app that was ready has stayed up. Pure."""

from datetime import timedelta

from reconciler.ports.app import EndedPart, NotRunning, RunningApp

# A part that ran longer counts as a service, not as a job that runs once, even if it ended with exit code 0.
LONGEST_ONE_SHOT = timedelta(seconds=10)


def ended_since(ready: RunningApp, now: RunningApp | NotRunning) -> EndedPart | None:
    """Return which parts of an app have ended since the app was ready, and how, as one EndedPart; None if none has.

    `ready` is the status that the app had when it was ready, `now` its present one. If this host is to blame for the
    end of some parts, the result is about these parts only.
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
    """Return whether the end of a part means that the app did not stay up. `ending` is the end of the part `part`.

    * The part failed or was stopped: True.
    * The part succeeded, was up when the app became ready (in `ready`), and ran for at least 10 seconds
      (LONGEST_ONE_SHOT): True.
    * The part succeeded in any other case: False. It was a job that runs once.
    """
    return not ending.succeeded or (part in ready.up and ending.duration >= LONGEST_ONE_SHOT)
