"""A small app for recipes that have a fault to show: it keeps notes. What is wrong with it, a recipe's own script adds.

PUT and GET /notes/NAME, each a file of a folder; GET /health answers 200 or 503.
"""

import http.server
import signal
import sys
import urllib.parse
from pathlib import Path

PORT = 8000


class Notes(http.server.BaseHTTPRequestHandler):
    """A recipe's script makes a class of it with what it adds."""

    folder = Path("/data")

    def healthy(self):
        return True

    def do_GET(self):
        note = self.note()
        if self.path == "/health":
            self.answer(200 if self.healthy() else 503)
        elif note is not None and note.is_file():
            self.answer(200, note.read_bytes())
        else:
            self.answer(404)

    def do_PUT(self):
        note = self.note()
        if note is None:
            return self.answer(404)
        new = note.with_suffix(".new")
        new.write_bytes(self.body())
        new.replace(note)
        return self.answer(204)

    def note(self):
        """The file of the note that was asked for; None where the path names none."""
        _, place, *name = urllib.parse.unquote(self.path).split("/")
        return self.folder / f"{name[0]}.txt" if place == "notes" and len(name) == 1 and name[0].isalnum() else None

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(app=Notes):
    """Serve until told to stop."""
    app.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer(("0.0.0.0", PORT), app).serve_forever()
