"""The ports of a pass, implemented on this host. Here processes are started, sockets opened, and programs asked."""
