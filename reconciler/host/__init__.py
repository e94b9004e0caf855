"""Does: everything that starts a process, opens a socket or asks a program."""
