"""A picture of the album can be scrubbed of its metadata and is a JPEG afterwards."""

import base64
import subprocess

from calling import expect, get

picture = base64.b64decode(get("/picture", name="harvest")["data"])
scrubbed = subprocess.run(["exif-scrubber"], input=picture, capture_output=True, check=True).stdout
expect("how the scrubbed picture begins", scrubbed[:2], b"\xff\xd8")
