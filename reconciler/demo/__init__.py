"""A demo fleet with its upstreams, and a story that runs the real commands on it."""
