"""The classifiers by name. Imports neither torch nor Ray.

A new classifier is one file, and its entry in `CLASSIFIERS`.
"""

from dataclasses import dataclass

from distxml.registry import Address, Registry


@dataclass(frozen=True)
class ClassifierEntry:
    """What is known of a classifier without importing it.

    Attributes:
        name: as `model.classifier` writes it.
        title: as the report writes it.
        make: from `ModelSettings` and the number of classes to a module that maps an image B×3×H×W and a heatmap
            B×1×H×W to logits B×C.
        is_torchvision: whether it is a network of torchvision's with gates inserted, which takes `model.pretrained` and
            `model.gates`; the others take `model.width`.
    """

    name: str
    title: str
    make: Address
    is_torchvision: bool = False


CLASSIFIERS = Registry(
    "classifier",
    [
        ClassifierEntry("vgg", "The paper’s VGG", "distxml.models.vgg:vgg"),
        ClassifierEntry("small_resnet", "A small ResNet", "distxml.models.small_resnet:small_resnet"),
        *(
            ClassifierEntry(f"resnet{depth}", f"ResNet-{depth}", "distxml.models.resnet:gated_resnet", True)
            for depth in (18, 34, 50, 101, 152)
        ),
    ],
)
