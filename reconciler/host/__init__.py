"""The ports, implemented on this host: all code of a pass that starts processes, opens sockets or asks programs."""
