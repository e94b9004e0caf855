import errno
import itertools
import os
import socket
import ssl
from pathlib import Path

from reconciler.cli.output_file import reason_beside
from reconciler.errors import message_and_hint


def test_the_hint_of_an_operating_system_error_says_what_to_do() -> None:
    message, hint = message_and_hint(PermissionError(errno.EPERM, "Operation not permitted", "/srv/data"))
    assert message == "Operation not permitted (/srv/data)"
    assert "lsattr" in hint


def test_an_error_without_a_file_has_no_hint_on_files_unless_it_is_one_of_writes() -> None:
    assert message_and_hint(PermissionError(errno.EPERM, "Operation not permitted")) == ("Operation not permitted", "")
    assert message_and_hint(OSError(errno.EIO, "Input/output error"))[1] == ""
    assert "room" in message_and_hint(OSError(errno.ENOSPC, "No space left on device"))[1]


def test_a_full_disk_is_called_that_of_the_file_and_never_that_of_the_state_folder() -> None:
    """Only the errors of the state folder's own files know that they are about it."""
    for path, number in itertools.product(("/srv/www/canon.html", None), (errno.ENOSPC, errno.EDQUOT)):
        _, hint = message_and_hint(OSError(number, os.strerror(number), path))
        assert "room" in hint
        assert "state folder" not in hint


def test_the_reason_beside_a_path_does_not_repeat_it() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/srv/www/canon.html")
    assert reason_beside(Path("/srv/www/canon.html"), full) == "No space left on device; make room on its disk"
    assert "(/srv/www/x.new)" in reason_beside(
        Path("/srv/www/x"), OSError(errno.EISDIR, "Is a directory", "/srv/www/x.new")
    )


def test_an_error_of_a_module_with_error_numbers_of_its_own_has_no_hint_for_another_error() -> None:
    """A certificate that fails has the number 1 in ssl, which is EPERM in the kernel."""
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    assert untrusted.errno == errno.EPERM
    assert message_and_hint(untrusted) == ("certificate verify failed", "")
    assert message_and_hint(ssl.SSLSyscallError(errno.EIO, "EOF occurred")) == ("EOF occurred", "")
    assert message_and_hint(socket.herror(1, "Unknown host")) == ("Unknown host", "")
