"""Multiplying feature maps by the heatmap, and inserting that into a network that somebody else wrote."""

from collections.abc import Collection

import torch.nn.functional as F
from torch import Tensor, fx, nn

from distxml.errors import UserError


def gate(features: Tensor, heatmap: Tensor) -> Tensor:
    """B×C×h×w features times the heatmap B×1×H×W, average-pooled to h×w (reference code; always average)."""
    return features * F.adaptive_avg_pool2d(heatmap, (features.shape[2], features.shape[3]))


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
    """`network` with a second input, the heatmap, and a gate after each module named in `after`.

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
    for node in targets:
        with graph.inserting_after(node):
            gated = graph.call_function(gate, (node, heatmap))
        node.replace_all_uses_with(gated, delete_user_cb=lambda user, gated=gated: user is not gated)
    graph.lint()
    return fx.GraphModule(network, graph)
