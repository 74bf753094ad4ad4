"""Areas over and under the perturbation curve.

Sources: Samek et al., "Evaluating the visualization of what a Deep Neural Network has learned", IEEE TNNLS 28 (2017),
equation 12; Petsiuk, Das, Saenko, "RISE: randomized input sampling for explanation of black-box models", BMVC 2018.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def aopc_by_steps(curves: Values) -> Values:
    """AOPC of every curve had it stopped after L = 0, 1, ... steps: ...×(L+1) to the same shape.

    AOPC(L) = 1/(L+1) · Σ_{k=0..L} [ f(x(0)) − f(x(k)) ].
    """
    drops = curves[..., :1] - curves
    return drops.cumsum(-1) / np.arange(1, curves.shape[-1] + 1)


def aopc(curves: Values) -> Values:
    """AOPC of every curve over all of its steps: ...×(L+1) to ...; MoRF: higher is better, LeRF: lower."""
    return aopc_by_steps(curves)[..., -1]


def area_under(curves: Values) -> Values:
    """Area under f over the share of the patches that are replaced, by trapezoids: ...×(N+1) to ....

    For curves that replace all N patches, a share 1/N a step. MoRF: the deletion AUC. LeRF: the insertion AUC, for the
    removal of the least relevant first is, from its end, the insertion of the most relevant first.
    """
    return np.trapezoid(curves, axis=-1) / (curves.shape[-1] - 1)
