"""All that the processes of a build run; imported once by the server that they are forked from."""

from distxml.config.sources import SOURCES
from distxml.registry import load
from distxml.sources.building.check import check_items
from distxml.sources.building.shards import write_shard

__all__ = ["check_items", "write_shard"]

for _entry in SOURCES:
    load(_entry.material)  # the items that the processes are sent are of these modules
