"""Scalars and HParams columns of metrics, with what the table of metrics says of them as TensorBoard's descriptions."""

from collections.abc import Mapping
from typing import Any

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from torch.utils.tensorboard.summary import hparams
from torch.utils.tensorboard.writer import FileWriter, SummaryWriter

from distxml.metrics.lookup import metric_entry

Setting = str | int | float | bool
Summary = Any
"""A protobuf message, one to a record of an event file."""

PROTO: Any = summary_pb2  # protobuf makes its classes while it is imported
HPARAMS: Any = plugin_data_pb2
API: Any = api_pb2


def event_file(writer: SummaryWriter) -> FileWriter:
    """The event file behind a writer, for what it has no method for; torch has no public way to it."""
    return writer._get_file_writer()


class ScalarWriter:
    """Adds the scalars of metrics to an event file; the first of a tag carries the metric's description."""

    def __init__(self, writer: SummaryWriter) -> None:
        self._writer = writer
        self._described: set[str] = set()

    def add(self, name: str, value: float, step: int, tag: str | None = None) -> None:
        """Add one value.

        Args:
            name: of the metric.
            value: at that step.
            step: place on the horizontal axis.
            tag: what TensorBoard lists it under; the name where it is left out.
        """
        tag = tag or name
        scalar = PROTO.Summary.Value(tag=tag, simple_value=value)
        if tag not in self._described:
            scalar.metadata.CopyFrom(_scalar_metadata(tag, metric_entry(name).description))
            self._described.add(tag)
        event_file(self._writer).add_summary(PROTO.Summary(value=[scalar]), step)


def _scalar_metadata(tag: str, description: str) -> Any:
    return PROTO.SummaryMetadata(
        display_name=tag,
        summary_description=description,
        plugin_data=PROTO.SummaryMetadata.PluginData(plugin_name="scalars"),
        data_class=PROTO.DATA_CLASS_SCALAR,
    )


def hparam_summaries(settings: Mapping[str, Setting], metrics: Mapping[str, str]) -> tuple[Summary, Summary, Summary]:
    """One row of the HParams table: its columns, the settings of the row; and, at its end, that it has ended.

    Args:
        settings: the row's, by name.
        metrics: names of metrics by the tags of the scalars whose last values the row shows.
    """
    columns, begun, ended = hparams(dict(settings), dict.fromkeys(metrics, 0.0))
    plugin = columns.value[0].metadata.plugin_data
    content = HPARAMS.HParamsPluginData.FromString(plugin.content)
    for column in content.experiment.metric_infos:
        entry = metric_entry(metrics[column.name.tag])
        column.display_name, column.description = column.name.tag, entry.description
        column.dataset_type = API.DATASET_VALIDATION
    plugin.content = content.SerializeToString()
    return columns, begun, ended
