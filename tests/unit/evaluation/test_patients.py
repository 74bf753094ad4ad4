"""Patients with three images each, from image files to the page: counted, kept whole, and resampled as patients."""

import shutil
from pathlib import Path

import pytest

from distxml.cli.evaluation_tables import print_summary
from distxml.config.dataset import DatasetRecipe
from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.data.reader import SplitReader
from distxml.data.schema import SPLITS, Dataset, open_dataset
from distxml.evaluation.evaluate import remaining_work, results_of, worker_inputs
from distxml.evaluation.prepare import prepare
from distxml.evaluation.results import load_results, store
from distxml.evaluation.summary import Summary
from distxml.evaluation.workers.worker import ScoringWorker
from distxml.report.document import write_report
from distxml.sources.building.build import build_dataset
from tests.integration.small_run import write_run
from tests.unit.evaluation.small_model import CLASSES
from tests.unit.report.run_on_disk import full_log, write_log
from tests.unit.sources.pictures import write_image, write_mask

PATIENTS, IMAGES_EACH = 24, 3
SETTINGS = EvaluationSettings(
    methods=("in_model", "saliency", "random"), patch_sizes=(8,), fills=("black",), steps=3, bootstrap=100
)


def build(folder: Path) -> Dataset:
    """Half of the patients in each class."""
    for patient in range(PATIENTS):
        for image in range(IMAGES_EACH):
            name = f"{CLASSES[patient % 2]}/P{patient:02d}_{image}"
            write_image(folder / "images" / f"{name}.png")
            write_mask(folder / "masks" / f"{name}.png")
    source = {
        "kind": "folders",
        "folder": folder / "images",
        "masks": folder / "masks",
        "group_pattern": r"^(P\d+)_",
    }
    recipe = {"name": "patients", "source": source, "splits": {"train": 0.4, "val": 0.2, "test": 0.4}}
    return build_dataset(DatasetRecipe.model_validate(recipe), folder / "dataset").dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("patients")
    run = write_run(folder, SETTINGS, 1)
    shutil.rmtree(folder / "dataset")
    build(folder)
    evaluation = prepare(run, run.recipe())
    work = remaining_work(run, evaluation)
    work.open()
    worker = ScoringWorker(*[worker_inputs(part.evaluation, part.journal) for part in work.parts])
    for task in work.tasks:
        worker.score(task)
    store(results_of(work, [part.journal.read() for part in work.parts]), run.evaluation)
    write_log(run, full_log())
    return run


@pytest.fixture(scope="module")
def dataset(run: RunFolder) -> Dataset:
    return open_dataset(run.path.parent / "dataset")


@pytest.fixture(scope="module")
def summary(run: RunFolder) -> Summary:
    return load_results(run.evaluation).summary


def test_the_dataset_keeps_who_an_image_is_of(dataset: Dataset):
    seen: set[str] = set()
    for split in SPLITS:
        index = SplitReader(dataset, split).index()
        assert [f"P{key.split('/P')[1][:2]}" for key in index.keys] == index.groups
        groups = {group for group in index.groups if group}
        assert dataset.metadata.groups is not None and dataset.metadata.groups[split] == len(groups)
        assert len(index.keys) == IMAGES_EACH * len(groups) and not groups & seen
        seen |= groups
    assert len(seen) == PATIENTS


def test_every_row_names_its_patient(run: RunFolder, dataset: Dataset):
    index = SplitReader(dataset, "test").index()
    group_of_key = dict(zip(index.keys, index.groups, strict=True))
    results = load_results(run.evaluation)
    for table in (results.images, results.heatmaps, results.curves):
        assert table.num_rows
        for key, group in zip(table["key"].to_pylist(), table["group"].to_pylist(), strict=True):
            assert group == group_of_key[key]


def test_figures_are_over_patients(dataset: Dataset, summary: Summary):
    assert dataset.metadata.groups is not None
    patients = dataset.metadata.groups["test"]
    assert (summary.images, summary.groups) == (IMAGES_EACH * patients, patients)
    assert (summary.curve_images, summary.curve_groups) == (summary.images, patients)
    assert {metric.groups for metric in summary.metrics} == {patients}
    assert sum(part.groups or 0 for part in summary.by_class) == patients


def test_terminal_and_page_say_how_many_patients(run: RunFolder, summary: Summary, capsys: pytest.CaptureFixture[str]):
    print_summary(summary)
    printed = " ".join(capsys.readouterr().out.split())
    assert "taken as independent" not in printed
    assert f"{summary.images} images of {summary.groups} groups" in printed
    page = write_report(run).path.read_text()
    assert f"{summary.images} images of {summary.groups} groups" in page
    assert "Images of one group (a patient) are not independent" in page
