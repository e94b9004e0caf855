"""Our mirrors of upstream repositories, and the refs that upstreams publish."""
