"""Puts a picture into the album."""

import base64

from calling import post
from pictured import PICTURE

post("/pictures", name="harvest", data=base64.b64encode(PICTURE).decode())
