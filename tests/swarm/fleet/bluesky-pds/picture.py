"""A picture in a post is served again as it was: until a record names it, the server keeps it for itself."""

import base64
import json
import sys

from pds import ask, call, log_in

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)

ada = log_in()
token = f"Bearer {ada['accessJwt']}"
blob = json.loads(call("com.atproto.repo.uploadBlob", PICTURE, "image/png", token))["blob"]
record = {
    "$type": "app.bsky.feed.post",
    "text": "A diagram.",
    "createdAt": "1843-09-02T00:00:00.000Z",
    "embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "One dot."}]},
}
post = {"repo": ada["did"], "collection": record["$type"], "record": record}
ask("com.atproto.repo.createRecord", post, token)
if call("com.atproto.sync.getBlob", did=ada["did"], cid=blob["ref"]["$link"]) != PICTURE:
    sys.exit("the picture came back as something else")
