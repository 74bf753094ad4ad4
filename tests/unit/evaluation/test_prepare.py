"""What is checked before any worker starts; and what may be overridden."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from distxml.config.evaluation import EvaluationSettings
from distxml.config.evaluation_request import override_recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.digest import index_digest
from distxml.data.schema import ROW_SCHEMA
from distxml.errors import UserError
from distxml.evaluation.prepare import prepare
from tests.integration.small_run import write_run
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, small_rows


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path, EvaluationSettings(patch_sizes=(8, 64), curve_images=4), images=12)


def prepared(run: RunFolder, *overrides: str):
    return prepare(run, override_recipe(run.recipe(), list(overrides), str(run.config)))


def test_a_finished_run_is_ready(run: RunFolder):
    evaluation = prepared(run)
    assert evaluation.scored.checkpoint == "checkpoints/joint/last"
    assert evaluation.scored.training_finished
    assert evaluation.label_of_key == {row.key: row.label for row in small_rows(12)}
    assert len(evaluation.plan.curve_keys) == 4
    assert evaluation.plan.left_out_patch_sizes == (64,)


def test_a_run_without_the_checkpoint_says_to_train(run: RunFolder):
    with pytest.raises(UserError, match=r"no checkpoint checkpoints/joint/best_loss; finish training first"):
        prepared(run, "evaluation.checkpoint=best_loss")
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(UserError, match=r"no checkpoint checkpoints/joint/last; finish training first"):
        prepared(run)


def test_the_classifier_phase_is_explained_by_the_explainer_of_the_joint_phase(run: RunFolder):
    scored = prepared(run, "evaluation.f=classifier_phase").scored
    assert (scored.checkpoint, scored.explainer_checkpoint) == ("checkpoints/classifier/last", "checkpoints/joint/last")
    assert scored.sha256 != scored.explainer_sha256
    joint = prepared(run).scored
    assert (joint.checkpoint, joint.explainer_checkpoint) == ("checkpoints/joint/last",) * 2
    assert joint.sha256 == joint.explainer_sha256 == scored.explainer_sha256


def test_f_classifier_phase_without_its_checkpoint_says_so(run: RunFolder):
    shutil.rmtree(run.checkpoint(PhaseName.CLASSIFIER, "last"))
    with pytest.raises(UserError, match=r"no checkpoint checkpoints/classifier/last"):
        prepared(run, "evaluation.f=classifier_phase")
    assert prepared(run).scored.checkpoint == "checkpoints/joint/last"


def test_a_damaged_explainer_is_found_before_any_worker_starts(run: RunFolder):
    weights = run.checkpoint(PhaseName.JOINT, "last") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"joint/last: model\.safetensors is not what was written"):
        prepared(run, "evaluation.f=classifier_phase")


def test_a_run_that_is_being_trained_is_refused(run: RunFolder):
    with FileLock(run.lock), pytest.raises(UserError, match=r"run .*: another process is training it; wait"):
        prepared(run)
    assert prepared(run).scored.training_finished, "the lock's file stays when training is over"


@pytest.mark.parametrize(("target", "index"), [("predicted", None), ("label", None), ("circle", 0), ("triangle", 1)])
def test_a_target_is_the_prediction_the_label_or_a_class(run: RunFolder, target: str, index: int | None):
    assert prepared(run, f"evaluation.target={target}").spec.target_class == index


def test_a_target_that_is_no_class_names_them(run: RunFolder):
    with pytest.raises(UserError, match=r"evaluation\.target=square: .*one of the classes circle, triangle"):
        prepared(run, "evaluation.target=square")


def test_a_layer_of_grad_cam_that_is_no_gate_names_them(run: RunFolder):
    layer = "evaluation.grad_cam_layer=block3"
    with pytest.raises(UserError, match=r"grad_cam_layer=block3: .*name one of stage1, .*, or last"):
        prepared(run, layer, "evaluation.methods=[in_model,grad_cam]")
    prepared(run, layer, "evaluation.methods=[in_model,lrp]")


def test_an_unfinished_run_is_marked(run: RunFolder):
    run.finished.unlink()
    assert not prepared(run).scored.training_finished


def test_another_datasets_classes_are_refused(run: RunFolder, tmp_path: Path):
    metadata = tmp_path / "dataset/dataset.json"
    metadata.write_text(metadata.read_text().replace('"triangle"', '"square"'))
    with pytest.raises(UserError, match="square"):
        prepared(run)


def test_an_empty_split_is_refused(run: RunFolder):
    with pytest.raises(UserError, match=r"split 'val' holds no images; set evaluation\.split"):
        prepared(run, "evaluation.split=val")


def test_a_key_that_comes_twice_is_refused(run: RunFolder, tmp_path: Path):
    shutil.rmtree(tmp_path / "dataset")
    write_dataset(tmp_path / "dataset", {"test": [*small_rows(10), small_rows(1)[0]]}, CLASSES)
    with pytest.raises(UserError, match="a key comes twice"):
        prepared(run)


def test_a_shard_of_another_length_is_refused(run: RunFolder, tmp_path: Path):
    path = tmp_path / "dataset/dataset.json"
    metadata = json.loads(path.read_text())
    shard = next(shard for shard in metadata["shards"] if shard["split"] == "test")
    shard["rows"] += 1
    shard["groups"][0]["rows"] += 1
    metadata["counts"]["test"][CLASSES[0]] += 1
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="not 10 rows of a distxml dataset"):
        prepared(run)


def test_a_damaged_shard_is_refused(run: RunFolder, tmp_path: Path):
    shard = min((tmp_path / "dataset/test").iterdir())
    shard.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=f"{shard.name}: this shard cannot be read"):
        prepared(run)


def test_evaluation_scaling_and_dataset_can_be_overridden(run: RunFolder):
    recipe = override_recipe(
        run.recipe(), ["evaluation.steps=3", "evaluation.fills=[blur]", "scaling.workers=50", "dataset.path=x"], "file"
    )
    assert (recipe.evaluation.steps, recipe.evaluation.fills) == (3, ("blur",))
    assert recipe.scaling.workers == 50  # more than loader.batch_size: that bound is training's
    assert recipe.dataset.path == "x"
    assert recipe.evaluation.curve_images == 4
    assert recipe.loss == run.recipe().loss


@pytest.mark.parametrize("override", ["loss.beta=0.1", "run.seed=3", "model.classifier=vgg", "evaluatoin.steps=3"])
def test_what_training_has_fixed_cannot_be_overridden(run: RunFolder, override: str):
    with pytest.raises(UserError, match=rf"override {override.partition('=')[0]}: training has fixed it"):
        override_recipe(run.recipe(), [override], "file")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("evaluation.steps=0", r"override evaluation\.steps: must be a whole number from 1 on, or all \(value 0\)"),
        ("evaluation.stepz=3", r"override evaluation\.stepz: unknown key .*did you mean evaluation\.steps"),
        ("evaluation.methods=[random,random]", r"evaluation\.methods: random is listed more than once"),
        ("evaluation.patch_sizes=[0]", r"evaluation\.patch_sizes"),
        ("evaluation.methods=[in_modell]", r"evaluation\.methods.*in_modell"),
        ("evaluation.fills=[blak]", r"evaluation\.fills.*blak"),
        ("evaluation.orders=[mrof]", r"evaluation\.orders.*mrof"),
        ("evaluation.f=phase2", r"evaluation\.f.*phase2"),
        ("evaluation.steps=some", r"evaluation\.steps"),
        ("steps", r"must look like a\.b=value"),
    ],
)
def test_a_wrong_override_is_explained(run: RunFolder, override: str, message: str):
    with pytest.raises(UserError, match=message):
        override_recipe(run.recipe(), [override], "file")


def relabel(folder: Path, label: int) -> Path:
    """Gives every row of a shard the same label."""
    shard = min((folder / "dataset/test").iterdir())
    table = pq.read_table(shard)
    labels = pa.array([label] * table.num_rows, pa.int32())
    pq.write_table(table.set_column(3, ROW_SCHEMA.field("label"), labels), shard, row_group_size=3)
    return shard


def test_labels_that_were_changed_are_refused(run: RunFolder, tmp_path: Path):
    shard = relabel(tmp_path, 1)
    with pytest.raises(UserError, match=f"{shard.name}: this shard was changed"):
        prepare(run, run.recipe())


def test_a_label_that_is_no_class_is_refused(run: RunFolder, tmp_path: Path):
    shard = relabel(tmp_path, 7)
    path = tmp_path / "dataset/dataset.json"
    metadata = json.loads(path.read_text())
    entry = next(entry for entry in metadata["shards"] if entry["file"] == f"test/{shard.name}")
    rows = pq.read_table(shard)
    entry["index_sha256"] = index_digest(*(rows[name].to_pylist() for name in ("key", "label", "group")))
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="a label is not among the 2 classes"):
        prepare(run, run.recipe())


def test_checkpoints_may_lie_behind_a_link(run: RunFolder, tmp_path: Path):
    (run.path / "checkpoints").rename(tmp_path / "scratch")
    (run.path / "checkpoints").symlink_to(tmp_path / "scratch")
    assert prepare(run, run.recipe()).scored.checkpoint == "checkpoints/joint/last"


def test_a_file_where_results_belong_is_refused(run: RunFolder):
    run.evaluation.write_text("mine")
    with pytest.raises(UserError, match="is a file where the results belong"):
        prepare(run, run.recipe())
    assert run.evaluation.read_text() == "mine"
