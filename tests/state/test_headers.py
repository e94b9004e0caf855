import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from state.snapshots.headers import head
from state.snapshots.manifest import SealedEntry

# Paths and targets about the 100 bytes that one block holds, of any characters that a file's name can have.
NAMES = (
    st.text(st.characters(exclude_characters="\0/", exclude_categories=()), min_size=1, max_size=6)
    | st.text("ab/", min_size=97, max_size=103)
).filter(lambda name: not name.endswith("/"))
# About the largest that seven and eleven digits hold.
IDS = st.integers(0, 2**16) | st.sampled_from((0o7777777, 0o7777777 + 1, 2**32 - 2))
SIZES = st.integers(0, 2**34) | st.sampled_from((0o77777777777, 0o77777777777 + 1))
TIMES = st.integers(-(10**10), 10**20) | st.sampled_from((-1, 0o77777777777 * 10**9, (0o77777777777 + 1) * 10**9))
ENTRIES = st.builds(
    SealedEntry, NAMES, st.sampled_from(("file", "hardlink")), st.integers(0, 0o7777), IDS, IDS, TIMES, SIZES
) | st.builds(
    SealedEntry,
    NAMES,
    st.sampled_from(("folder", "symlink", "hardlink")),
    st.integers(0, 0o7777),
    IDS,
    IDS,
    TIMES,
    st.just(0),
    st.just(""),
    NAMES,
)
KINDS = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE}


@given(ENTRIES)
@example(SealedEntry("data/notes.txt", "file", 0o640, 1000, 1000, 1_700_000_000_999_999_999, 42))
@example(SealedEntry("a" * 99, "folder", 0o755, 0, 0, 0))
@example(SealedEntry("a" * 100, "folder", 0o755, 0, 0, 0))
def test_a_header_is_byte_for_byte_what_tarfile_writes(entry: SealedEntry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.type, info.mode, info.linkname, info.size = KINDS[entry.type], entry.mode, entry.target, entry.size
    info.uid, info.gid, info.mtime = entry.uid, entry.gid, entry.mtime_ns // 10**9
    assert head(entry) == info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
