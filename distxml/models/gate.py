"""Multiplying feature maps by the heatmap, and inserting that into a network that somebody else wrote."""

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from distxml.errors import UserError


class Gate(nn.Module):
    """B×C×h×w features times the heatmap B×1×H×W, average-pooled to h×w (reference code; always average).

    Pooled in the heatmap's precision; the product has that of the features. A module without parameters, one at each
    place of a network, so that methods of attribution find the gated feature maps.
    """

    def __init__(self, place: str = "") -> None:
        """`place`: what settings call it, such as the stage that it follows; empty: its module's name."""
        super().__init__()
        self.place = place

    def forward(self, features: Tensor, heatmap: Tensor) -> Tensor:
        """B×C×h×w."""
        return features * _pooled(heatmap, features.shape[2], features.shape[3]).to(features.dtype)


def gates_by_place(classifier: nn.Module) -> dict[str, Gate]:
    """From the image to the logits: networks register theirs in the order of their forward pass."""
    modules = classifier.named_modules()
    return {module.place or name: module for name, module in modules if isinstance(module, Gate)}


def gate_at(classifier: nn.Module, place: str) -> Gate:
    """The gate that `evaluation.grad_cam_layer` names: its place, or `last`, the one nearest the logits.

    Raises:
        UserError: there is none.
    """
    gates = gates_by_place(classifier)
    found = list(gates.values())[-1] if place == "last" and gates else gates.get(place)
    if found is None:
        raise UserError(
            f"evaluation.grad_cam_layer={place}: the classifier has no such gate; "
            f"name one of {', '.join(gates)}, or last"
        )
    return found


def _pooled(heatmap: Tensor, height: int, width: int) -> Tensor:
    """Adaptive average pooling of B×1×H×W to h×w, in steps whose backward passes are deterministic on GPUs."""
    rows, columns = heatmap.shape[2], heatmap.shape[3]
    if rows % height == 0 and columns % width == 0:
        return F.avg_pool2d(heatmap, (rows // height, columns // width))
    with torch.autocast(heatmap.device.type, enabled=False):
        return _means(rows, height, heatmap) @ heatmap @ _means(columns, width, heatmap).T


def _means(size: int, parts: int, like: Tensor) -> Tensor:
    """parts×size: row i averages the pixels that the i-th of `parts` equal lengths touches."""
    pixel = torch.arange(size, device=like.device)
    part = torch.arange(parts, device=like.device).view(-1, 1)
    touched = (pixel * parts < (part + 1) * size) & ((pixel + 1) * parts > part * size)
    return touched.to(like.dtype) / touched.sum(1, keepdim=True)


class _StopAtModules(fx.Tracer):
    """Traces a network without looking inside the modules after which gates go."""

    def __init__(self, leaves: Collection[str]) -> None:
        super().__init__()
        self.leaves = leaves

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        # A BatchNorm asks whether it trains at each call; traced into, it would never ask again.
        stays_whole = module_qualified_name in self.leaves or isinstance(m, nn.BatchNorm2d)
        return stays_whole or super().is_leaf_module(m, module_qualified_name)


def insert_gates(network: nn.Module, after: Collection[str]) -> fx.GraphModule:
    """`network` with a second input, the heatmap, and a `Gate` after each module named in `after`.

    The keys of its state dict stay as they were, so that pretrained weights load.

    Args:
        network: takes B×3×H×W, has no data-dependent control flow (torch.fx traces it).
        after: dotted names of modules whose outputs are B×C×h×w.

    Raises:
        UserError: a named module is never called.
    """
    graph = _StopAtModules(after).trace(network)
    image = next(node for node in graph.nodes if node.op == "placeholder")
    with graph.inserting_after(image):
        heatmap = graph.placeholder("heatmap")
    targets = [node for node in graph.nodes if node.op == "call_module" and node.target in after]
    missing = set(after) - {str(node.target) for node in targets}
    if missing:
        raise UserError(f"gates: the network never calls {sorted(missing)}; name modules on its path")
    network.add_module("gates", nn.ModuleList(Gate(str(node.target)) for node in targets))
    for index, node in enumerate(targets):
        with graph.inserting_after(node):
            gated = graph.call_module(f"gates.{index}", (node, heatmap))
        node.replace_all_uses_with(gated, delete_user_cb=lambda user, gated=gated: user is not gated)
    graph.lint()
    return fx.GraphModule(network, graph)
