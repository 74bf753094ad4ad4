"""Areas of perturbation curves: AOPC over patches, or over the share of the image that is replaced; deletion AUC."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def aopc_by_steps(curves: Values, shares: Values, share_limit: float | None) -> Values:
    """AOPC of every curve had it stopped at its first, second, ... point. MoRF: higher is better, LeRF: lower.

    Args:
        curves: ...×P, f at each point.
        shares: ...×P, how much of the image is replaced there.
        share_limit: None: over patches; else over the share of the image, up to this one.

    Returns:
        ...×P, 0 at the first point.
    """
    return aopc_over_patches(curves) if share_limit is None else aopc_over_share(curves, shares, share_limit)


def aopc_over_patches(curves: Values) -> Values:
    """AOPC(L) = 1/(L+1) · Σ_{k=0..L} [ f(x(0)) − f(x(k)) ] for L = 0, 1, ...: ...×P to the same shape.

    Source: Samek et al., "Evaluating the visualization of what a deep neural network has learned", IEEE TNNLS 28
    (2017), equation 12.
    """
    drops = curves[..., :1] - curves
    return drops.cumsum(-1) / np.arange(1, curves.shape[-1] + 1)


def aopc_over_share(curves: Values, shares: Values, limit: float) -> Values:
    """AOPC(S) = 1/S · ∫_{0..S} [ f(x(0)) − f(x(s)) ] ds by trapezoids; S: the share replaced at a point, or the limit.

    The range does not depend on the size of the patches, and a patch that the border cuts off weighs what it covers. Up
    to the whole image it is f(x(0)) minus the area under the curve.

    Args:
        curves: ...×P, f at each point.
        shares: ...×P, from 0 on, rising.
        limit: in (0, 1]; the trapezoid that holds it is cut there.

    Returns:
        ...×P, 0 at the first point.
    """
    drops = curves[..., :1] - curves
    width, first, rise = np.diff(shares, axis=-1), drops[..., :-1], np.diff(drops, axis=-1)
    within = np.clip((limit - shares[..., :-1]) / width, 0, 1)  # of each trapezoid: 1 but where the limit cuts
    area = (within * width * (first + within * rise / 2)).cumsum(-1)
    mean = area / np.minimum(shares[..., 1:], limit)
    return np.concatenate([np.zeros_like(mean[..., :1]), mean], axis=-1)


def area_under(curves: Values, shares: Values) -> Values:
    """Area under f over the share of the image that is replaced, by trapezoids: ...×P, twice, to ....

    For curves that replace all patches. MoRF: the deletion AUC. LeRF: the insertion AUC, because removing the least
    relevant first is, read from its end, inserting the most relevant first. Source: Petsiuk et al., BMVC 2018.
    """
    return np.asarray(np.trapezoid(curves, shares, axis=-1))
