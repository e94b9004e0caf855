"""Writes events as JSON: those of `reconcile history` and `reconcile events`, and those in explanations."""

from reconciler.core.events import Event
from reconciler.show.documents.recorded_parts import Json, time_part
from reconciler.show.documents.report_document import FORMAT, json_line


def event_part(event: Event) -> Json:
    """Return the JSON entry of one event. Its key "body" has all fields of the event's line in the ledger."""
    return {
        "seq": event.seq,
        "at": time_part(event.at),
        "kind": event.kind,
        "recipe": event.recipe or None,
        "version": event.version or None,
        "what": event.what,
        "by": event.by or None,
        "text": event.text,
        "body": dict(event.body),
    }


def event_line(event: Event) -> str:
    """Return an event as one line of JSON, with a final newline."""
    return json_line({"format": FORMAT, **event_part(event)})
