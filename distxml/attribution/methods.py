"""The heatmap methods by name, and the protocol that each of them follows. Imports neither torch nor Ray.

A new method is one file that follows `HeatmapMethod`, and its entry in `METHODS`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from distxml.registry import Address, Registry, load

if TYPE_CHECKING:
    from torch import Tensor

    from distxml.attribution.explained_model import ExplainedModel
    from distxml.config.evaluation import EvaluationSettings

Family = Literal["in_model", "gradient", "product", "cam", "relevance", "perturbation", "control", "random"]
"""What a method works with; methods of a family have one colour in the report."""
Dash = Literal["-", "--", ":", "-."]
"""Of a method's line in the report: it tells the methods of a family apart."""


class HeatmapMethod(Protocol):
    """Says how relevant each pixel is to a class. Only the order of the values has a meaning across methods.

    Heat below 0 speaks against the class: it comes last where patches are replaced most relevant first. Pictures and
    agreement with the masks are of the positive part alone.
    """

    def heatmap(self, image: "Tensor", target: "Tensor") -> "Tensor":
        """Relevance of every pixel.

        Args:
            image: B×3×H×W in [0, 1].
            target: B int64, the class that is explained.

        Returns:
            B×1×H×W, without gradients, negative where a pixel speaks against the class. It does not depend on the other
            images of the batch.
        """
        ...


@dataclass(frozen=True)
class MethodEntry:
    """What is known of a method without importing it.

    Attributes:
        name: as `evaluation.methods` writes it.
        title: as the report writes it.
        make: makes the method: called with the `ExplainedModel`, unless it is a control, and with `settings`.
            A method that draws random numbers does so by the image's pixels and the run's seed.
        family: what it works with.
        dash: its line in the report.
        settings: names of the evaluation settings that `make` takes as keyword arguments.
        passes: forward passes that take about as long as one heatmap; a forward and a backward pass are 3.
        repeats: name of the evaluation setting, or property of these settings, that says how often these passes are
            made; empty: once.
        signed: whether it has negative heat, where a pixel speaks against the class.
        seeded: whether `make` takes the run's seed, as keyword argument `seed`.
    """

    name: str
    title: str
    make: Address
    family: Family
    dash: Dash = "-"
    settings: tuple[str, ...] = ()
    passes: int = 3
    repeats: str = ""
    signed: bool = False
    seeded: bool = False

    @property
    def is_control(self) -> bool:
        """Whether the method knows no model: it sees the image at most."""
        return self.family in ("control", "random")

    def passes_per_heatmap(self, settings: "EvaluationSettings") -> int:
        """Forward passes that take about as long as one heatmap under these settings."""
        return self.passes * (getattr(settings, self.repeats) if self.repeats else 1)


_CAPTUM = "distxml.attribution.captum_methods"
_GRAD_CAM = "distxml.attribution.grad_cam"
_CONTROLS = "distxml.attribution.controls"

METHODS = Registry(
    "heatmap method",
    [
        MethodEntry("in_model", "in-model", "distxml.attribution.explained_model:InModel", "in_model", passes=1),
        MethodEntry("saliency", "gradient saliency", f"{_CAPTUM}:saliency", "gradient"),
        MethodEntry(
            "smoothgrad",
            "SmoothGrad",
            "distxml.attribution.smoothgrad:SmoothGrad",
            "gradient",
            "--",
            settings=("smoothgrad_samples", "smoothgrad_noise"),
            repeats="smoothgrad_samples",
            seeded=True,
        ),
        MethodEntry("guided_backprop", "guided backprop", f"{_CAPTUM}:guided_backprop", "gradient", ":"),
        MethodEntry("deconvolution", "deconvolution", f"{_CAPTUM}:deconvolution", "gradient", "-."),
        MethodEntry("input_x_gradient", "input × gradient", f"{_CAPTUM}:input_x_gradient", "product", signed=True),
        MethodEntry(
            "input_x_gradient_absolute",
            "input × gradient, absolute",
            f"{_CAPTUM}:input_x_gradient_absolute",
            "product",
            "--",
        ),
        MethodEntry(
            "integrated_gradients",
            "integrated gradients",
            f"{_CAPTUM}:integrated_gradients",
            "product",
            ":",
            settings=("integration_steps",),
            repeats="integration_steps",
            signed=True,
        ),
        MethodEntry(
            "integrated_gradients_absolute",
            "integrated gradients, absolute",
            f"{_CAPTUM}:integrated_gradients_absolute",
            "product",
            "-.",
            settings=("integration_steps",),
            repeats="integration_steps",
        ),
        MethodEntry("grad_cam", "Grad-CAM", f"{_GRAD_CAM}:GradCam", "cam", settings=("grad_cam_layer",)),
        MethodEntry(
            "guided_grad_cam",
            "guided Grad-CAM",
            f"{_GRAD_CAM}:guided_grad_cam",
            "cam",
            "--",
            settings=("grad_cam_layer",),
            passes=6,
        ),
        MethodEntry("lrp", "LRP", "distxml.attribution.lrp:RelevancePropagation", "relevance", "-.", passes=4),
        MethodEntry(
            "occlusion",
            "occlusion",
            "distxml.attribution.occlusion:OcclusionSensitivity",
            "perturbation",
            settings=("occlusion_window", "occlusion_stride"),
            passes=1,
            repeats="occlusion_places",
            signed=True,
        ),
        MethodEntry(
            "rise",
            "RISE",
            "distxml.attribution.rise:RandomMasks",
            "perturbation",
            "--",
            settings=("rise_masks",),
            passes=1,
            repeats="rise_masks",
            seeded=True,
        ),
        MethodEntry("canny", "Canny edges", f"{_CONTROLS}:CannyEdges", "control", "--", passes=0),
        MethodEntry("otsu", "Otsu threshold", f"{_CONTROLS}:OtsuObject", "control", "-.", passes=0),
        MethodEntry("center_distance", "center distance", f"{_CONTROLS}:CenterDistance", "control", passes=0),
        MethodEntry("random", "random order", f"{_CONTROLS}:NoInformation", "random", ":", passes=0),
    ],
)
"""In the order of the report's legends."""


def make_method(name: str, explained: "ExplainedModel", settings: "EvaluationSettings", seed: int) -> HeatmapMethod:
    """The method of that name, for f. The model stays on its device, in eval mode.

    Args:
        name: of an entry.
        explained: f.
        settings: some of them may be the method's.
        seed: of the run.

    Raises:
        UserError: a setting of the method does not fit the model.
    """
    entry = METHODS[name]
    make = load(entry.make)
    options = {option: getattr(settings, option) for option in entry.settings}
    if entry.seeded:
        options["seed"] = seed
    return make(**options) if entry.is_control else make(explained, **options)
