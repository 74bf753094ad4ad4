"""Integrated gradients, by captum."""

from captum.attr import IntegratedGradients

from distxml.attribution.explained import Explained
from distxml.attribution.gradient_method import GradientMethod


def integrated_gradients(explained: Explained, steps: int, batch_size: int) -> GradientMethod:
    """The image times the mean gradient on the straight way from a black image to it (Gauss-Legendre quadrature).

    Signed attributions of an image sum up to f(image) − f(black), up to the error of the quadrature. A gate that is
    kept is the same all the way; one that is made anew is made of each image on the way. `batch_size`: most images in
    a forward pass, unless more than that are explained together.

    Source: Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks" (ICML 2017), section 3.
    """
    return GradientMethod(explained, IntegratedGradients, baselines=0, n_steps=steps, internal_batch_size=batch_size)
