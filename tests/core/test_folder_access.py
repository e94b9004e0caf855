"""What is said of a folder to which a user cannot write."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.folder_access import FolderAccess, obstacle

FOLDER = "/srv/web pages"
USERS = st.sampled_from(["root", "alice", "bob"])
ACCESSES = st.builds(
    FolderAccess,
    folder=st.just(FOLDER),
    owner=USERS,
    user=USERS,
    mode=st.integers(0, 0o7777),
    is_read_only=st.booleans(),
    is_allowed=st.booleans(),
)


@given(ACCESSES)
def test_there_is_a_reason_and_a_remedy_just_if_the_user_cannot_write(access: FolderAccess) -> None:
    reason, hint = obstacle(access)
    can_write = access.is_allowed and not access.is_read_only
    assert (reason == "", hint == "") == (can_write, can_write)
    assert can_write or FOLDER in reason


@given(ACCESSES)
def test_only_a_read_only_file_system_is_to_be_mounted_and_then_nothing_else_is_advised(access: FolderAccess) -> None:
    read_only, writable = (obstacle(evolve(access, is_read_only=each))[1] for each in (True, False))
    assert "mount" in read_only
    assert not {"owner", "chmod", "lsattr"} & {*read_only.split()}
    assert "mount" not in writable


@given(ACCESSES)
def test_nobody_is_sent_to_the_owner_who_is_the_owner(access: FolderAccess) -> None:
    assert access.owner != access.user or "owner" not in obstacle(access)[1]


@given(ACCESSES)
def test_a_mode_is_only_to_be_changed_where_it_keeps_the_owner_out(access: FolderAccess) -> None:
    hint = obstacle(access)[1]
    if "chmod" in hint:
        assert access.mode & 0o300 != 0o300
        assert hint == "chmod u+wx '/srv/web pages'"
