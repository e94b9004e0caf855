"""Our own copies of upstream repositories, and what upstream publishes."""
