"""The networks: shapes, where the heat goes in, equality with torchvision, what a checkpoint keeps."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import resnet18

from distxml.checksums import note_sums
from distxml.config.model import ModelSettings
from distxml.errors import UserError
from distxml.models.checkpoint import ModelCard, build_model, check_classes, load_model, save_model
from distxml.models.classifiers import CLASSIFIERS
from distxml.models.gate import Gate, gate_at, gates_by_place, insert_gates
from distxml.models.joint import JointModel
from distxml.models.resnet import gated_resnet

gate = Gate()


def small(name: str, **more: object) -> ModelSettings:
    return ModelSettings.model_validate({"classifier": name, "width": 4, "explainer_width": 4} | more)


@pytest.fixture(scope="module", params=CLASSIFIERS.names())
def fresh(request: pytest.FixtureRequest) -> JointModel:
    """Of each classifier a model for three classes in eval mode; the large ones take a second to make."""
    return JointModel(small(request.param), classes=3).eval()


def test_shapes_and_ranges(fresh: JointModel) -> None:
    with torch.no_grad():
        out = fresh(torch.rand(2, 3, 64, 48))
    assert out.logits.shape == (2, 3)
    assert out.heatmap.shape == (2, 1, 64, 48)
    assert out.heatmap.min() >= 0 and out.heatmap.max() <= 1


def test_a_black_heatmap_hides_the_image(fresh: JointModel) -> None:
    images, black = torch.rand(2, 3, 64, 48), torch.zeros(2, 1, 64, 48)
    with torch.no_grad():
        logits, white = fresh(images, black).logits, fresh(images, "white").logits
    torch.testing.assert_close(logits[0], logits[1])
    assert not torch.allclose(white[0], white[1])


@pytest.mark.parametrize(("bias", "heat"), [(0.0, 0.0), (1.0, 0.7616), (3.0, 0.9951)])
def test_heatmap_starts_as_white_as_its_bias_says(bias: float, heat: float) -> None:
    torch.manual_seed(0)
    model = JointModel(small("vgg", init_bias=bias), 2)
    with torch.no_grad():
        for parameter in model.explainer.to_heat.parameters():
            nn.init.zeros_(parameter)
    assert model.eval()(torch.rand(1, 3, 16, 16)).heatmap.mean().item() == pytest.approx(heat, abs=1e-3)


def test_gates_have_no_state(fresh: JointModel) -> None:
    """Checkpoints of any version load, and torchvision's."""
    assert {key.split(".")[0] for key in fresh.classifier.state_dict()} <= {
        *("stages", "head"),
        *("stem", "blocks", "fc"),
        *("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"),
    }


def test_gates_pool_by_average() -> None:
    heatmap = torch.rand(2, 1, 8, 8)
    features = torch.rand(2, 5, 4, 4)
    by_hand = torch.stack(
        [heatmap[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((2, 3)) for i in range(4) for j in range(4)], -1
    )
    torch.testing.assert_close(gate(features, heatmap), features * by_hand.view(2, 1, 4, 4))


@pytest.mark.parametrize(
    ("size", "pooled"),
    [((12, 8), (4, 4)), ((12, 8), (12, 8)), ((10, 7), (4, 3)), ((12, 8), (5, 4)), ((13, 9), (13, 2)), ((4, 4), (7, 6))],
)
def test_gates_average_what_each_cell_touches(size: tuple[int, int], pooled: tuple[int, int]) -> None:
    """Whole multiples or not, also where the features are finer than the heatmap; values and gradients."""
    heatmap = torch.rand(2, 1, *size, dtype=torch.float64, requires_grad=True)
    features = torch.rand(2, 3, *pooled, dtype=torch.float64)
    cells = [
        heatmap[:, :, _touched(i, size[0], pooled[0]), _touched(j, size[1], pooled[1])].mean((2, 3))
        for i in range(pooled[0])
        for j in range(pooled[1])
    ]
    oracle = features * torch.stack(cells, -1).view(2, 1, *pooled)
    gated = gate(features, heatmap)
    torch.testing.assert_close(gated, oracle)
    (gradient,) = torch.autograd.grad(gated.square().sum(), heatmap)
    torch.testing.assert_close(gradient, torch.autograd.grad(oracle.square().sum(), heatmap)[0])


def _touched(cell: int, size: int, cells: int) -> slice:
    """The pixels that a cell, of `cells` equal lengths over `size` pixels, covers wholly or in part."""
    return slice(math.floor(cell * size / cells), math.ceil((cell + 1) * size / cells))


@pytest.mark.parametrize("size", [8, 10])
def test_gates_pool_in_float32_and_multiply_in_the_features_precision(size: int) -> None:
    heatmap, features = torch.rand(1, 1, size, size), torch.ones(1, 2, 4, 4, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        gated = gate(features, heatmap)
    assert gated.dtype == torch.bfloat16
    pooled = torch.nn.functional.adaptive_avg_pool2d(heatmap, 4)
    assert torch.equal(gated, pooled.bfloat16().expand(1, 2, 4, 4))


def test_the_explainers_momentum_is_a_setting() -> None:
    image = torch.rand(4, 3, 16, 16)
    means = {}
    for momentum in (0.1, 0.5, 1.0):
        torch.manual_seed(0)
        explainer = JointModel(small("vgg", explainer_momentum=momentum), 2).explainer
        explainer(image)
        means[momentum] = float(explainer.get_buffer("normalize.running_mean"))
    assert means[0.1] == pytest.approx(0.1 * means[1.0]) and means[0.5] == pytest.approx(0.5 * means[1.0])
    assert means[1.0] != 0


@pytest.mark.parametrize(("gates", "count"), [("block", 9), ("stage", 5)])
def test_resnet_gates_are_where_they_should_be(gates: str, count: int) -> None:
    network = gated_resnet(small("resnet18", gates=gates), 2)
    gates_called = [node.target for node in network.graph.nodes if str(node.target).startswith("gates.")]
    assert gates_called == [f"gates.{index}" for index in range(count)]
    assert all(isinstance(network.get_submodule(str(name)), Gate) for name in gates_called)
    assert gate_at(network, "last") is network.get_submodule(f"gates.{count - 1}")
    places = list(gates_by_place(network))
    assert len(places) == count and places[0] == "maxpool"
    assert places[-1] == ("layer4.1" if gates == "block" else "layer4")


def test_gates_have_names_in_the_order_of_the_forward_pass() -> None:
    vgg, small_resnet = (JointModel(small(name), 2).classifier for name in ("vgg", "small_resnet"))
    assert list(gates_by_place(vgg)) == ["stage1", "stage2", "stage3", "stage4"]
    assert list(gates_by_place(small_resnet)) == ["stem", "block1", "block2", "block3", "block4"]
    assert gate_at(small_resnet, "block1") is small_resnet.get_submodule("gates.1")
    assert list(gates_by_place(nn.Sequential(nn.Conv2d(3, 3, 1), Gate()))) == ["1"]


@pytest.mark.parametrize("gates", ["block", "stage"])
def test_gated_resnet_equals_a_slow_gated_forward(gates: str) -> None:
    torch.manual_seed(0)
    gated = gated_resnet(small("resnet18", gates=gates), 1000).eval()
    plain = resnet18(weights=None).eval()
    plain.load_state_dict(gated.state_dict())
    image, heatmap = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    x: Tensor = gate(plain.maxpool(plain.relu(plain.bn1(plain.conv1(image)))), heatmap)
    for stage in (plain.layer1, plain.layer2, plain.layer3, plain.layer4):
        for block in stage:
            x = gate(block(x), heatmap) if gates == "block" else block(x)
        x = x if gates == "block" else gate(x, heatmap)
    torch.testing.assert_close(gated(image, heatmap), plain.fc(x.mean((2, 3))))
    torch.testing.assert_close(gated(image, torch.ones(2, 1, 64, 64)), plain(image))


@pytest.mark.parametrize("gates", ["block", "stage"])
def test_sync_batchnorm_in_a_gated_resnet_still_obeys_eval(gates: str) -> None:
    torch.manual_seed(0)
    shared = gated_resnet(small("resnet18", gates=gates, sync_batchnorm=True), 2)
    plain = gated_resnet(small("resnet18", gates=gates), 2)
    plain.load_state_dict(shared.state_dict())
    image, heatmap = torch.rand(4, 3, 64, 64), torch.rand(4, 1, 64, 64)
    torch.testing.assert_close(shared(image, heatmap), plain(image, heatmap))
    before = {name: value.clone() for name, value in shared.eval().named_buffers()}
    torch.testing.assert_close(shared(image, heatmap), plain.eval()(image, heatmap))
    assert all(torch.equal(value, before[name]) for name, value in shared.named_buffers())


def test_gates_after_a_module_that_is_not_there() -> None:
    with pytest.raises(UserError, match="layer9"):
        insert_gates(resnet18(weights=None), ["layer9"])


def test_normalization_happens_inside() -> None:
    torch.manual_seed(0)
    plain = JointModel(small("resnet18"), 2).eval()
    normal = JointModel(small("resnet18", normalization="imagenet"), 2).eval()
    normal.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 32, 32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    torch.testing.assert_close(normal(image, "white").logits, plain((image - mean) / std, "white").logits)


def test_pretrained_weights_from_a_file(tmp_path: Path) -> None:
    weights = resnet18(weights=None).state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    torch.save(weights, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        network = gated_resnet(small("resnet18", pretrained=tmp_path / name), 2)
        assert torch.equal(network.state_dict()["layer4.1.conv2.weight"], weights["layer4.1.conv2.weight"])
    with pytest.raises(UserError, match=r"gone\.pth: no such file"):
        gated_resnet(small("resnet18", pretrained=tmp_path / "gone.pth"), 2)
    with pytest.raises(UserError, match="not a state dict of this ResNet"):
        gated_resnet(small("resnet34", pretrained=tmp_path / "w.pth"), 2)


def card(name: str = "vgg") -> ModelCard:
    return ModelCard(settings=small(name), classes=("a", "b"), image_size=(16, 16), dataset="d")


@pytest.mark.parametrize("name", ["vgg", "small_resnet", "resnet18"])
def test_a_checkpoint_gives_the_same_model_back(tmp_path: Path, name: str) -> None:
    model = build_model(card(name))
    model(torch.rand(4, 3, 32, 32))  # moves BatchNorm statistics
    save_model(tmp_path, model, card(name))
    loaded = load_model(tmp_path)
    image = torch.rand(2, 3, 32, 32)
    assert torch.equal(loaded.model(image).logits, model.eval()(image).logits)
    assert loaded.card == card(name) and not loaded.model.training


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no model\.json"):
        load_model(tmp_path)
    save_model(tmp_path, build_model(card()), card())
    other = build_model(card("small_resnet"))
    save_file(other.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors is not what was written"):
        load_model(tmp_path)
    note_sums(tmp_path)
    with pytest.raises(UserError, match=r"model\.safetensors: does not belong to its model\.json .*; name another"):
        load_model(tmp_path)


def test_other_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"knows 2 classes \(a, b\), but dataset .* has 3 \(a, b, c\)"):
        check_classes(card(), ("a", "b", "c"), tmp_path, "data")
