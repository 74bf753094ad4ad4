"""Runs that lie in an object store: published whole or not at all, fetched to the node, read by paths as any other."""
