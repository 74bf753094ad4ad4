"""What every number is called, what it means, in which unit, and which way is better: the one table of metrics.

The console, TensorBoard, HParams, the report, the tables of `distxml evaluate`, a sweep's objective and docs/metrics.md
read it; none of them names or explains a metric itself. It imports no torch: a sweep file is checked against it.

A new metric is computed where its kind is computed, and registered under its name, with an entry in `table`, or beside
its computation (from outside of distxml too) with `METRICS.add(MetricEntry(...))`. Where it is computed:

- of every training and validation step: `EpochMetrics` in `distxml/training/metrics.py`;
- of a few images after each epoch of the joint phase: `QuickScores` in `distxml/evaluation/scoring/quick_scores.py`;
- of an evaluation: the modules of `distxml/evaluation/statistics/`.

A name without an entry is still shown, under its own name and without a meaning.
"""
