"""Prepares its data when it first starts, which takes long; until that is done nothing answers."""

import os
import time

from notes import Notes, serve

prepared = Notes.folder / "prepared"
if not prepared.exists():
    print("preparing", flush=True)
    time.sleep(float(os.environ["PREPARING_SECONDS"]))
    prepared.touch()
serve()
