"""All figures of a report."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from distxml.config.evaluation import Order
from distxml.evaluation.results import Results
from distxml.report.figure import DrawnFigure
from distxml.report.figures.classes import precision_recall_figure, roc_figure
from distxml.report.figures.comparisons import comparison_figure, overall_figure
from distxml.report.figures.curves import aopc_grid, curve_sets, perturbation_grid
from distxml.report.figures.training import training_figures
from distxml.report.training_log import TrainingLog


@dataclass(frozen=True)
class Figures:
    """What could be drawn; what could not is None or empty.

    Attributes:
        training: one panel per quantity.
        roc, precision_recall: of the classes.
        overall: AOPC over all settings.
        comparisons: in-model minus every other method.
        perturbation: f against the patches replaced, by order.
        by_steps: AOPC(L) against L, by order.
    """

    training: list[DrawnFigure] = field(default_factory=list)
    roc: DrawnFigure | None = None
    precision_recall: DrawnFigure | None = None
    overall: DrawnFigure | None = None
    comparisons: DrawnFigure | None = None
    perturbation: dict[Order, DrawnFigure] = field(default_factory=dict)
    by_steps: dict[Order, DrawnFigure] = field(default_factory=dict)

    def __iter__(self) -> Iterator[DrawnFigure]:
        """Those that were drawn, training first."""
        single = (self.roc, self.precision_recall, self.overall, self.comparisons)
        yield from self.training
        yield from (drawn for drawn in single if drawn is not None)
        yield from self.perturbation.values()
        yield from self.by_steps.values()


def draw_figures(log: TrainingLog, results: Results | None) -> Figures:
    """Draw all that the log and the results hold."""
    training = training_figures(log) if log.epochs else []
    if results is None:
        return Figures(training)
    summary = results.summary
    perturbed = bool(summary.aopc)
    sets = curve_sets(results.curves, summary.settings.share_limit) if perturbed else []
    orders = summary.settings.orders if perturbed else ()
    return Figures(
        training=training,
        roc=roc_figure(summary.roc) if summary.roc else None,
        precision_recall=precision_recall_figure(summary.precision_recall) if summary.precision_recall else None,
        overall=overall_figure(summary) if perturbed else None,
        comparisons=comparison_figure(summary) if perturbed else None,
        perturbation={order: perturbation_grid(summary, sets, order) for order in orders},
        by_steps={order: aopc_grid(summary, sets, order) for order in orders},
    )
