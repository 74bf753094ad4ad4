"""Backpropagation with other gradients of ReLUs: guided backpropagation and deconvolution, by captum.

They treat every ReLU alike, those of the explainer too where the gradient goes through it; what is no ReLU (gates,
pooling, the sigmoids of the VGG's head) has its own gradient.
"""

from captum.attr import Deconvolution, GuidedBackprop

from distxml.attribution.explained import Explained
from distxml.attribution.gradient_method import GradientMethod


def guided_backprop(explained: Explained) -> GradientMethod:
    """The gradient, but a ReLU lets only what is positive pass backwards, and only where it was active.

    Source: Springenberg, Dosovitskiy, Brox, Riedmiller, "Striving for Simplicity: The All Convolutional Net" (2014).
    """
    return GradientMethod(explained, GuidedBackprop)


def deconvolution(explained: Explained) -> GradientMethod:
    """The gradient, but a ReLU lets only what is positive pass backwards, wherever it was active.

    Source: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks" (2013), section 2.1.
    """
    return GradientMethod(explained, Deconvolution)
