"""Mirrors of upstream repositories, and the refs that upstream publishes."""
