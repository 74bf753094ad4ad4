"""Makes docs/metrics.md of the table of metrics: `python docs/metrics_page.py > docs/metrics.md`."""

from collections.abc import Iterator

from distxml.metrics.entry import MetricEntry
from distxml.metrics.lookup import METRICS

HEADING = """# Metrics

Every number that distxml logs or writes, under the name that it has in `metrics.jsonl`, `summary.json`, sweep files and
TensorBoard's tags. Console, TensorBoard (as descriptions), HParams and report read the same table,
`distxml/metrics/table.py`. This page is made of it, and a test holds it to the code:

```sh
python docs/metrics_page.py > docs/metrics.md
```

A sweep's objective may name the metrics of training and of the quick scores. Where one way is better, it is the
objective's default `goal`. A new metric: see `distxml/metrics/__init__.py`.

| name | title | unit | better | computed by | meaning |
|---|---|---|---|---|---|"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEADING, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    for entry in METRICS:
        cells = (f"`{entry.name}`", entry.title, entry.unit, entry.better, _origins(entry), entry.meaning)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _origins(entry: MetricEntry) -> str:
    return ", ".join(origin.replace("_", " ") for origin in entry.computed_by)


if __name__ == "__main__":
    print(page(), end="")
