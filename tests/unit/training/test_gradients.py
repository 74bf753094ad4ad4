"""One global batch gives the same gradients on two ranks as on one, in each phase; what is frozen does not move."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.models.joint import JointModel
from distxml.models.sync_batchnorm import SyncBatchNorm2d
from distxml.training.epoch import number_of_micro_batches, one_update_of_statistics, train_step
from distxml.training.learner import Learner
from tests.unit.training.ranks import run_on_ranks

IMAGES = 7  # odd: the two ranks get different numbers of images


def recipe(*overrides: str) -> Recipe:
    small = ["model.width=4", "model.explainer_width=4", "loss.kind=hybrid", "optimizer.clip_norm=null"]
    return load_settings(Recipe, "polygons", [*small, *overrides])


def double_model(settings: Recipe) -> JointModel:
    """In float64, without dropout (each rank draws its own), with a heatmap away from saturation."""
    torch.manual_seed(0)
    model = JointModel(settings.model, classes=2).double()
    torch.nn.init.constant_(model.explainer.normalize.bias, 0.5)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    return model


def global_batch() -> Batch:
    random = torch.Generator().manual_seed(1)
    return Batch(
        image=torch.rand(IMAGES, 3, 16, 16, generator=random, dtype=torch.float64),
        label=torch.tensor([0, 1, 1, 0, 1, 0, 1]),
        mask=(torch.rand(IMAGES, 1, 16, 16, generator=random) > 0.5).double(),
        has_mask=torch.ones(IMAGES, dtype=torch.bool),
        key=tuple(map(str, range(IMAGES))),
        weight=torch.ones(IMAGES, dtype=torch.float64),
    )


def part(batch: Batch, rank: int, ranks: int) -> Batch:
    def cut(value: Tensor) -> Tensor:
        return value.tensor_split(ranks)[rank]

    keys = batch.key[: len(cut(batch.label))]
    return Batch(cut(batch.image), cut(batch.label), cut(batch.mask), cut(batch.has_mask), keys, cut(batch.weight))


def gradients_on(rank: int, ranks: int, folder: Path, phase: PhaseName, overrides: tuple[str, ...]) -> None:
    settings = recipe(*overrides)
    model = double_model(settings)
    weights = torch.tensor([1.0, 3.0], dtype=torch.float64) if "loss.class_weights=[1, 3]" in overrides else None
    learner = Learner.build(settings, phase, model, weights)
    train_step(learner, part(global_batch(), rank, ranks))
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    statistics = dict(model.named_buffers())
    if rank == 0:
        torch.save({"gradients": gradients, "statistics": statistics}, folder / f"{ranks}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("phase", list(PhaseName))
@pytest.mark.parametrize(
    "overrides",
    [
        ("model.classifier=vgg",),
        ("model.classifier=small_resnet", "model.sync_batchnorm=true", "loss.class_weights=[1, 3]"),
    ],
    ids=["vgg", "resnet"],
)
def test_two_ranks_equal_one(tmp_path: Path, phase: PhaseName, overrides: tuple[str, ...]) -> None:
    gradients_on(0, 1, tmp_path, phase, overrides)
    run_on_ranks(partial(gradients_on, phase=phase, overrides=overrides), 2, tmp_path)
    one, two = (torch.load(tmp_path / f"{ranks}.pt", weights_only=True) for ranks in (1, 2))
    learns = ("classifier", "explainer") if phase == PhaseName.JOINT else (phase,)
    assert {name.split(".")[0] for name in one["gradients"]} == set(learns)
    assert one["gradients"].keys() == two["gradients"].keys()
    for name, gradient in one["gradients"].items():
        torch.testing.assert_close(two["gradients"][name], gradient, atol=1e-9, rtol=1e-5, msg=name)
    for name, value in one["statistics"].items():
        torch.testing.assert_close(two["statistics"][name], value, atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 2, 3])
def test_micro_batches_add_up_to_the_whole_batch(tmp_path: Path, most: int) -> None:
    """Without BatchNorm, on one rank and on two with different numbers of images, the gradients are the same."""
    vgg = ("model.classifier=vgg", "loss.class_weights=[1, 3]")
    gradients_on(0, 1, tmp_path, PhaseName.CLASSIFIER, vgg)
    whole = torch.load(tmp_path / "1.pt", weights_only=True)["gradients"]
    divided = (*vgg, f"compute.micro_batch={most}")
    gradients_on(0, 1, tmp_path, PhaseName.CLASSIFIER, divided)
    run_on_ranks(partial(gradients_on, phase=PhaseName.CLASSIFIER, overrides=divided), 2, tmp_path)
    for ranks in (1, 2):
        found = torch.load(tmp_path / f"{ranks}.pt", weights_only=True)["gradients"]
        for name, gradient in whole.items():
            torch.testing.assert_close(found[name], gradient, atol=1e-9, rtol=1e-5, msg=f"{ranks} {name}")


@given(images=st.integers(1, 60), ranks=st.integers(1, 8), most=st.integers(1, 20))
def test_ranks_split_their_parts_into_equally_many_micro_batches(images: int, ranks: int, most: int) -> None:
    number = number_of_micro_batches(images, ranks, most)
    shares = [max(1, len(part)) for part in np.array_split(np.arange(images), ranks)]  # an empty share is padded
    for share in shares:
        sizes = [len(part) for part in np.array_split(np.arange(share), number)]
        assert min(sizes) >= 1, "no micro-batch is empty"
        assert max(sizes) <= most or number == min(shares), "as small as wanted, unless one more would be empty"


def normalized_on(rank: int, ranks: int, folder: Path) -> None:
    values = 10 + 0.01 * torch.randn(6, 1, 32, 32, generator=torch.Generator().manual_seed(3))
    out = SyncBatchNorm2d(1)(values.tensor_split(ranks)[rank])
    torch.save({"out": out.detach()}, folder / f"{rank}.pt")
    if rank == 0:
        oracle = torch.nn.functional.batch_norm(values.double(), None, None, training=True)
        torch.save({"out": oracle.float()}, folder / "oracle.pt")


@pytest.mark.slow
def test_sync_batchnorm_does_not_cancel_in_float32(tmp_path: Path) -> None:
    run_on_ranks(normalized_on, 2, tmp_path)
    parts = [torch.load(tmp_path / f"{name}.pt", weights_only=True)["out"] for name in ("0", "1", "oracle")]
    torch.testing.assert_close(torch.cat(parts[:2]), parts[2], atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("phase", "frozen"), [(PhaseName.CLASSIFIER, "explainer"), (PhaseName.EXPLAINER, "classifier")]
)
@pytest.mark.parametrize("classifier", ["vgg", "small_resnet", "resnet18"])
def test_a_frozen_network_does_not_move_by_one_bit(phase: PhaseName, frozen: str, classifier: str) -> None:
    settings = recipe(
        f"model.classifier={classifier}", "phases.classifier.white_heatmap=false", "optimizer.weight_decay=0.1"
    )
    model = double_model(settings)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learner = Learner.build(settings, phase, model, None)
    for _ in range(3):
        train_step(learner, global_batch())
    after = model.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved and not any(name.startswith(frozen) for name in moved)


@given(number=st.integers(1, 6), momentum=st.floats(0.05, 0.95))
def test_micro_batches_move_running_statistics_as_far_as_the_whole(number: int, momentum: float) -> None:
    """Against BatchNorm on the undivided batch, all of whose micro-batches have the same statistics."""
    norms = [nn.BatchNorm2d(2, momentum=momentum, dtype=torch.float64) for _ in range(2)]
    micro_batch = torch.rand(3, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(number)) + 2
    with one_update_of_statistics(norms[0], number):
        for _ in range(number):
            norms[0](micro_batch)
    norms[1](micro_batch)
    torch.testing.assert_close(norms[0].running_mean, norms[1].running_mean)
    torch.testing.assert_close(norms[0].running_var, norms[1].running_var)
    assert norms[0].momentum == momentum
