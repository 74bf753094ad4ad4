"""Event files, read back with TensorBoard's own reader."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
from tensorboard.summary.writer import event_file_writer
from tensorboard.util.tensor_util import make_ndarray

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.metrics.lookup import METRICS, metric_entry
from distxml.monitoring.events import GuardEvent, NoticeEvent, PhaseEndEvent
from distxml.monitoring.hparams import SHOWN_METRICS, settings_that_matter, validation_tag
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.monitoring.tensorboard import MAX_CURVES, TensorBoard
from tests.unit.monitoring.some_events import epoch_event, step_event

CLASSIFIER, EXPLAINER, JOINT = PhaseName

API: Any = api_pb2  # protobuf makes its classes while it is imported


@pytest.fixture(autouse=True)
def first_files_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard reads files by their names, in which the tenth of a process comes before the ninth."""
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0, "images": 0}).Reload()


def points(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(scalar.step, scalar.value) for scalar in read(folder).Scalars(name)]


def texts(folder: Path, name: str) -> list[str]:
    events = read(folder).Tensors(f"{name}/text_summary")
    return [event.tensor_proto.string_val[0].decode() for event in events]


def write(folder: Path, epochs: range, steps: range, value: float, after: tuple[int, int] = (0, 0)) -> None:
    board = TensorBoard(folder, *after)
    for step in steps:
        board.write_step(step_event(step, loss=value))
    for epoch in epochs:
        board.write_epoch(epoch_event(epoch, accuracy=value))
    board.close()


def test_steps_and_epochs_have_axes_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, range(1, 4), range(1, 31), 0.5)
    assert points(tmp_path, "accuracy/val") == [(epoch, 0.5) for epoch in range(1, 4)]
    assert points(tmp_path / "steps", "step/total") == [(step, 0.5) for step in range(1, 31)]
    steps, epochs = (set(read(folder).Tags()["scalars"]) for folder in (tmp_path / "steps", tmp_path))
    figures = {"images_per_second", "data_wait", "step_seconds", "gradient_norm", "black", "white", "sparsity"}
    assert {f"step/{name}" for name in figures} <= steps
    assert {"black/val", "white/train", "speed/data_wait", "gradient_norm", "memory/resident_mb"} <= epochs
    assert not steps & epochs


def test_scalars_are_described_where_they_are_first_written(tmp_path: Path) -> None:
    """As TensorBoard's own multiplexer serves them, to which an old-style scalar is a new one."""
    write(tmp_path, range(1, 4), range(1, 31), 0.5)
    provider, context = data_provider(tmp_path), RequestContext()
    runs = provider.list_scalars(context, experiment_id="", plugin_name="scalars")
    described = {tag: series.description for tags in runs.values() for tag, series in tags.items()}
    for tag, name in [
        ("accuracy/val", "accuracy"),
        ("step/total", "total"),
        ("learning_rate/explainer", "lr_explainer"),
    ]:
        assert described[tag] == metric_entry(name).description
    names = {tag.split("/")[tag.startswith(("step/", "speed/", "memory/"))] for tag in described}
    assert names - set(METRICS.names()) == {"learning_rate"}, "every scalar is in the table"


@pytest.mark.parametrize(("resume_after", "resume_step"), [(0, 0), (2, 20), (2, 27), (3, 30)])
def test_after_a_restart_each_axis_forgets_what_the_checkpoint_does_not_know(
    tmp_path: Path, resume_after: int, resume_step: int
) -> None:
    write(tmp_path, range(1, 4), range(1, 31), 0.5)
    write(tmp_path, range(resume_after + 1, 6), range(resume_step + 1, 51), 0.25, (resume_after, resume_step))
    assert points(tmp_path, "accuracy/val") == [(i, 0.5 if i <= resume_after else 0.25) for i in range(1, 6)]
    steps = points(tmp_path / "steps", "step/total")
    assert steps == [(i, 0.5 if i <= resume_step else 0.25) for i in range(1, 51)]


def test_a_rewind_forgets_what_was_rolled_back(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, 0, 0)
    for epoch in range(1, 4):
        board.write_epoch(epoch_event(epoch, accuracy=0.5))
    for step in range(1, 31):
        board.write_step(step_event(step, loss=0.5))
    board.write_guard(GuardEvent(EXPLAINER, 1, 1, "black", "back to epoch 1", 1, 0.005))
    board.rewind(1, 10)
    board.write_epoch(epoch_event(2, accuracy=0.25))
    board.write_step(step_event(11, loss=0.25))
    board.close()
    assert points(tmp_path, "accuracy/val") == [(1, 0.5), (2, 0.25)]
    assert points(tmp_path / "steps", "step/total") == [(i, 0.5) for i in range(1, 11)] + [(11, 0.25)]
    assert points(tmp_path, "guard/tries") == [(1, 1.0)]
    assert texts(tmp_path, "guard/explainer_try1") == ["black; back to epoch 1 (explainer's learning rate now 0.005)"]


def test_notices_of_one_epoch_are_kept_together(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, 0, 0)
    for epoch, message in ((0, "one"), (2, "two"), (2, "three")):
        board.write_notice(NoticeEvent(epoch, message))
    board.close()
    assert texts(tmp_path, "notice") == ["one", "two", "two\n\nthree"]


def test_phase_end_has_its_reason_matrix_and_curves(tmp_path: Path) -> None:
    classes = tuple(f"class {index}" for index in range(MAX_CURVES + 1))
    rng = np.random.default_rng(0)
    counts = [rng.integers(0, 9, (len(classes), 127)) for _ in range(4)]
    figures = PhaseFigures(classes, np.eye(len(classes), dtype=np.int64), *counts)
    board = TensorBoard(tmp_path, 0, 0)
    board.write_phase_end(PhaseEndEvent(CLASSIFIER, 4, 4, "epoch budget"), figures)
    board.write_phase_end(PhaseEndEvent(EXPLAINER, 4, 8, "no figures"), None)
    board.close()
    assert texts(tmp_path, "phase_end") == ["phase 1, classifier: epoch budget", "phase 2, explainer: no figures"]
    assert [image.step for image in read(tmp_path).Images("confusion")] == [4]
    curves = [tag for tag in read(tmp_path).Tags()["tensors"] if tag.startswith("precision_recall/")]
    assert len(curves) == MAX_CURVES
    written = make_ndarray(read(tmp_path).Tensors("precision_recall/class 3")[0].tensor_proto)
    ratios = (figures.precision(), figures.recall())
    np.testing.assert_allclose(written, np.stack([table[3] for table in (*counts, *ratios)]), rtol=1e-6)


def test_the_hparams_table_has_one_row_a_run_with_its_last_figures(tmp_path: Path) -> None:
    recipes = {seed: recipe_with(seed) for seed in (1, 2)}
    for seed, recipe in recipes.items():
        board = TensorBoard(tmp_path / f"run{seed}/tensorboard", 0, 0)
        board.write_settings(recipe)
        for epoch in (1, 2):
            event = epoch_event(epoch, accuracy=seed * epoch / 8)
            scores = {"flips_above_random": epoch / 10} if seed == 1 else {}  # the other one makes no quick scores
            board.write_epoch(replace(event, val=event.val | scores))
        board.write_step(step_event(1))
        if seed == 1:  # the other one is stopped before its end
            board.write_end()
        board.close()
    rows = {group.hparams["run.seed"].number_value: group for group in session_groups(tmp_path)}
    assert rows.keys() == {1.0, 2.0}
    assert sorted(path.name for path in (tmp_path / "run1/tensorboard").iterdir() if path.is_dir()) == ["steps"]
    for seed, row in rows.items():
        shown = {metric.name.tag: metric.value for metric in row.metric_values}
        expected = set(SHOWN_METRICS) - (set() if seed == 1 else {"flips_above_random"})
        assert shown.keys() == set(map(validation_tag, expected)) and shown["accuracy/val"] == seed / 4
        assert shown.get("flips_above_random/val", 0.2) == pytest.approx(0.2)
        assert {name: _value(row.hparams[name]) for name in row.hparams} == settings_that_matter(recipes[int(seed)])


def recipe_with(seed: int) -> Recipe:
    phases = {
        "classifier": {"epochs": 9, "alpha": 1, "lr_classifier": 0.01, "lr_explainer": 0},
        "explainer": {"epochs": 9, "alpha": 0.25, "lr_classifier": 0, "lr_explainer": 0.01},
        "joint": {"patience": 9, "epochs": 99, "alpha": 0.9, "lr_classifier": 0.01, "lr_explainer": 0.01},
    }
    return Recipe.model_validate({"dataset": {"path": "x"}, "phases": phases, "run": {"name": "x", "seed": seed}})


def _value(value: Any) -> str | float:
    return value.string_value if value.HasField("string_value") else value.number_value


def data_provider(folder: Path) -> MultiplexerDataProvider:
    multiplexer = EventMultiplexer(tensor_size_guidance={"scalars": 0, "hparams": 0})
    multiplexer.AddRunsFromDirectory(str(folder)).Reload()
    return MultiplexerDataProvider(multiplexer, str(folder))


def session_groups(folder: Path) -> list:
    """What TensorBoard's HParams tab asks for."""
    context = backend_context.Context(base_plugin.TBContext(data_provider=data_provider(folder)))
    statuses = [API.STATUS_SUCCESS, API.STATUS_RUNNING, API.STATUS_UNKNOWN]  # as its boxes are ticked at first
    hparams = [API.ColParams(hparam=name) for name in ("run.seed", "loss.gamma")]
    columns = hparams + [API.ColParams(metric=API.MetricName(tag=validation_tag(name))) for name in SHOWN_METRICS]
    request = API.ListSessionGroupsRequest(allowed_statuses=statuses, col_params=columns, start_index=0, slice_size=9)
    handler = list_session_groups.Handler(RequestContext(), context, "", request)  # of the one experiment there is
    return list(handler.run().session_groups)
