"""Is healthy only over data of its own format, which it makes on an empty volume and changes nowhere."""

from notes import Notes, serve

FORMAT = "2"


class Formatted(Notes):
    def healthy(self):
        return (self.folder / "format").read_text() == FORMAT


made = Notes.folder / "format"
if not made.exists():
    made.write_text(FORMAT)
serve(Formatted)
