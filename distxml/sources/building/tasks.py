"""All that the processes of a build run; imported once by the server that they are forked from."""

from distxml.sources.building.check import check_items
from distxml.sources.building.shards import write_shard
from distxml.sources.gather import gather

__all__ = ["check_items", "gather", "write_shard"]
