"""All that the processes of a build run; imported once by the server that they are forked from."""

from distxml.sources.check import check_items
from distxml.sources.gather import gather
from distxml.sources.shards import write_shard

__all__ = ["check_items", "gather", "write_shard"]
