"""The front: hands notes on to the store, and is as healthy as it."""

import http.client
import os

from notes import Notes, serve


class Front(Notes):
    def do_GET(self):
        self.hand_on(None)

    def do_PUT(self):
        self.hand_on(self.body())

    def hand_on(self, body):
        store = http.client.HTTPConnection(os.environ["STORE"], 8000, timeout=10)
        store.request(self.command, self.path, body)
        answer = store.getresponse()
        self.answer(answer.status, answer.read())


serve(Front)
