"""`METRICS`, the registry of metrics, and what its readers ask it."""

from collections.abc import Iterable, Mapping

from distxml.metrics.entry import IN_WORDS, Better, MetricEntry
from distxml.metrics.table import TABLE
from distxml.registry import Registry, RegistryPart

METRICS = Registry[MetricEntry]("metric", TABLE)
OBJECTIVE_METRICS = RegistryPart(METRICS, "metric of the validation split", lambda entry: entry.may_be_searched)
"""Those that a sweep's objective may name."""

BETTER_AOPC: Mapping[str, Better] = {"morf": "higher", "lerf": "lower"}
"""Which way is better by the order in which patches are replaced. The table has MoRF's, which the quick scores use."""
AOPC_IN_WORDS: Mapping[str, str] = {order: IN_WORDS[better] for order, better in BETTER_AOPC.items()}


def metric_entry(name: str) -> MetricEntry:
    """The entry of that name; one without a meaning where none is registered."""
    if name in METRICS.names():
        return METRICS[name]
    title = name.replace("_", " ").capitalize()
    return MetricEntry(name, title, short=name, unit="", better="neither", meaning="", computed_by=())


def directions(names: Iterable[str]) -> str:
    """Which way is better for each of the metrics, in sentences."""
    titles: dict[str, list[str]] = {}
    for entry in map(metric_entry, names):
        titles.setdefault(IN_WORDS[entry.better], []).append(entry.title)
    return " ".join(f"{', '.join(those)}: {words}." for words, those in titles.items() if words)
