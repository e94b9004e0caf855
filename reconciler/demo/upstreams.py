"""The releases of each upstream of the demo, and what it publishes during the story."""

from reconciler.demo.history import Commit, History, Publication

FILES_ONLY = ("serving.py",)

HISTORIES = {
    "accounts": History(
        (
            Commit(1, "2.3.0+26.0.7", "Accounts with signed tokens", ("2.3.0+26.0.7",)),
            Commit(18, "2.4.0+26.1.0", "Give every account a name to show", ("2.4.0+26.1.0",)),
        )
    ),
    "guestbook": History(
        (
            Commit(3, "1.0.0+0.9.1", "A guestbook for members", ("1.0.0+0.9.1",)),
            Commit(20, "1.1.0+0.9.2", "Let entries be hidden", ("1.1.0+0.9.2",)),
        )
    ),
    "identity": History(
        (Commit(22, "0.3.0+v0.4.219", "Sign claims with a rotation key", ("0.3.0+v0.4.219",)),), FILES_ONLY
    ),
    "ledger": History(
        (
            Commit(2, "1.0.0+2.1.0", "A cash book", ("1.0.0+2.1.0",)),
            Commit(16, "1.1.0+2.2.0", "Keep days in one form; add currencies", ("1.1.0+2.2.0",)),
        )
    ),
    "links": History(
        (
            Commit(4, "1.4.0+2.0.3", "Short names for long addresses", ("1.4.0+2.0.3",)),
            Commit(15, "1.5.0+2.1.0", "Count visits", ("1.5.0+2.1.0",)),
            Commit(19, "main", "Say in the README that visits are counted"),
        ),
        FILES_ONLY,
    ),
    "mail": History((Commit(6, "1.2.0+3.8.1", "Letters to the members", ("1.2.0+3.8.1",)),)),
    "notes": History(
        (
            Commit(5, "3.0.9+1.10.7", "Notes, and an index of their words", ("3.0.9+1.10.7",)),
            Commit(17, "3.0.10+1.10.8", "Find words in capitals and not", ("3.0.10+1.10.8",)),
        )
    ),
    "paste": History(
        (
            Commit(7, "0.9.0+1.0.4", "Texts to pass on", ("0.9.0+1.0.4",)),
            Commit(24, "1.0.0+1.1.0", "Tidy the lines of a text", ("1.0.0+1.1.0",)),
        ),
        FILES_ONLY,
    ),
    "photos": History((Commit(8, "4.2.0+v1.119.0", "Pictures of the house", ("4.2.0+v1.119.0",)),), FILES_ONLY),
    "polls": History(
        (
            Commit(9, "1.0.0+1.24.2-rootless", "Questions and votes", ("1.0.0+1.24.2-rootless",)),
            Commit(21, "v1.1.0+1.25.0-rootless", "Count Yes and yes as one", ("v1.1.0+1.25.0-rootless",)),
            Commit(22, "1.1.0+1.25.0-rootless", "The same for voters' names", ("1.1.0+1.25.0-rootless",)),
        )
    ),
    "stats": History(
        (
            Commit(10, "3.0.0+v2.0.0", "Count visits by place", ("3.0.0+v2.0.0",)),
            Commit(12, "3.0.1+v2.0.0", "Use one table of places for all machines", ("3.0.1+v2.0.0",)),
        )
    ),
    # The back-port was published after the higher version: the newest tag by date is not the highest version.
    "status": History(
        (
            Commit(1, "1.7.1+1.27.2", "A page that says whether we are open", light=("1.7.1+1.27.2",)),
            Commit(14, "1.11.0+1.29.0", "Say the hours", light=("1.11.0+1.29.0",)),
            Commit(23, "1.7.2+1.27.3", "Back-port the style to the page as it was", light=("1.7.2+1.27.3",)),
        ),
        (),
    ),
    "wiki": History(
        (
            Commit(11, "main-1", "Pages that anyone may change", light=("latest",)),
            Commit(25, "main-2", "Publish 0.2.0+4.4.0", light=("next-beta",)),
        ),
        FILES_ONLY,
    ),
}

GOOD = Publication("notes", (Commit(30, "3.1.0+1.11.0", "Give labels a table of their own", ("3.1.0+1.11.0",)),))
BREAKING = Publication("ledger", (Commit(31, "1.2.0+2.3.0", "Sum up by month", ("1.2.0+2.3.0",)),))
MENDED = Publication("ledger", (Commit(33, "1.2.1+2.3.1", "Turn days that were kept as typed"),), branch="mended")
MOVED = Publication("links", (Commit(32, "moved", "Check addresses"),), moves=("1.5.0+2.1.0",))

# In order of publication.
PUBLICATIONS = (GOOD, BREAKING, MENDED, MOVED)
