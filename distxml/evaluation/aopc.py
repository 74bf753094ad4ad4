"""Area over the perturbation curve.

Source: Samek et al., "Evaluating the visualization of what a Deep Neural Network has learned", IEEE TNNLS 28 (2017),
equation 12.
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
    """AOPC of every curve over all of its steps: ...×(L+1) to ...; higher is better."""
    return aopc_by_steps(curves)[..., -1]
