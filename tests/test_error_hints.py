import errno
import socket
import ssl

from reconciler.errors import message_and_hint


def test_the_hint_of_an_operating_system_error_says_what_to_do() -> None:
    message, hint = message_and_hint(PermissionError(errno.EPERM, "Operation not permitted", "/srv/data"))
    assert message == "Operation not permitted (/srv/data)"
    assert "lsattr" in hint


def test_an_error_without_a_file_has_no_hint_on_files_unless_it_is_one_of_writes() -> None:
    assert message_and_hint(PermissionError(errno.EPERM, "Operation not permitted")) == ("Operation not permitted", "")
    assert message_and_hint(OSError(errno.EIO, "Input/output error"))[1] == ""
    assert "room" in message_and_hint(OSError(errno.ENOSPC, "No space left on device"))[1]


def test_an_error_of_a_module_with_error_numbers_of_its_own_has_no_hint_for_another_error() -> None:
    """A certificate that fails has the number 1 in ssl, which is EPERM in the kernel."""
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    assert untrusted.errno == errno.EPERM
    assert message_and_hint(untrusted) == ("certificate verify failed", "")
    assert message_and_hint(ssl.SSLSyscallError(errno.EIO, "EOF occurred")) == ("EOF occurred", "")
    assert message_and_hint(socket.herror(1, "Unknown host")) == ("Unknown host", "")
