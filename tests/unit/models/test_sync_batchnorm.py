"""BatchNorm over ranks: precision of its sums, and no warnings. (Its gradients: tests/unit/training/test_gradients.)"""

import warnings
from pathlib import Path

import pytest
import torch

from distxml.models.sync_batchnorm import SyncBatchNorm2d
from tests.unit.training.ranks import run_on_ranks

SHAPE = (6, 2, 64, 64)


def values() -> torch.Tensor:
    return (3 + torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))).bfloat16()


def normalize_bfloat16(rank: int, ranks: int, folder: Path) -> None:
    warnings.simplefilter("error")  # a deprecated collective would end this rank
    norm = SyncBatchNorm2d(2)
    mine = values().tensor_split(ranks)[rank].requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = norm(mine)
    out.float().square().sum().backward()
    result = {"out": out.detach(), "mean": norm.running_mean, "var": norm.running_var, "gradient": norm.weight.grad}
    torch.save(result, folder / f"{rank}.pt")


@pytest.mark.slow
def test_sums_are_float32_under_autocast(tmp_path: Path) -> None:
    """Sums of 12288 values of about 3 in bfloat16 would stop growing at about 1000."""
    run_on_ranks(normalize_bfloat16, 2, tmp_path)
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    oracle = torch.nn.BatchNorm2d(2).double()
    expected = oracle(values().double())
    expected.square().sum().backward()
    out = torch.cat([one["out"], two["out"]])
    assert out.dtype == torch.bfloat16 and one["mean"].dtype == torch.float32
    torch.testing.assert_close(out.double(), expected.detach(), atol=0.02, rtol=0.01)
    assert oracle.running_mean is not None and oracle.running_var is not None and oracle.weight.grad is not None
    for rank in (one, two):
        torch.testing.assert_close(rank["mean"].double(), oracle.running_mean, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(rank["var"].double(), oracle.running_var, atol=1e-5, rtol=1e-5)
    gradient = one["gradient"] + two["gradient"]
    torch.testing.assert_close(gradient.double(), oracle.weight.grad, atol=0, rtol=0.01)
