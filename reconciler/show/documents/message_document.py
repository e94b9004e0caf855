"""The JSON of a message: the body of the webhook's request."""

from reconciler.show.documents.recorded_parts import Json
from reconciler.show.documents.report_document import FORMAT
from reconciler.show.quantities import rfc3339
from reconciler.show.text.messages import message_subject, message_text
from state.notifications import Item, Message


def message_document_of(fleet: str, message: Message) -> Json:
    """Return the JSON document of a message of the fleet named `fleet`."""
    return {
        "format": FORMAT,
        "fleet": fleet,
        "id": message.id,
        "at": rfc3339(message.at),
        "subject": message_subject(fleet, message),
        "text": message_text(message),
        "items": [_item(item) for item in message.items],
    }


def _item(item: Item) -> Json:
    """Return the JSON entry of one problem in a message.

    The keys "recipe" and "version" are null if the problem is about no recipe or no release. The key "now", how the
    recipe is now, is null unless the problem is over.
    """
    problem = item.problem
    return {
        "event": item.event,
        "recipe": problem.recipe or None,
        "kind": problem.kind,
        "version": problem.version or None,
        "reason": problem.reason,
        "since": rfc3339(item.since),
        "now": item.now or None,
    }
