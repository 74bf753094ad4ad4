"""The gradient of f, as it is and times the image."""

from captum.attr import InputXGradient, Saliency

from distxml.attribution.explained import Explained
from distxml.attribution.gradient_method import GradientMethod


def saliency(explained: Explained) -> GradientMethod:
    """Gradient of the target's logit by the image.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3; sum over channels
    instead of their maximum.
    """
    return GradientMethod(explained, Saliency, abs=False)


def input_x_gradient(explained: Explained) -> GradientMethod:
    """Gradient of the target's logit by the image, times the image in [0, 1]: black pixels have no heat.

    Source: Shrikumar, Greenside, Shcherbina, Kundaje, "Not Just a Black Box" (2016).
    """
    return GradientMethod(explained, InputXGradient)
