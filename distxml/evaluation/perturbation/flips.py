"""Decision flips: at how many steps of a perturbation curve the model decides for another class than at its start."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def decision_flips(logits: Tensor) -> NDArray[np.float64]:
    """Share of the steps at which another class has a higher logit than that of x(0): B×(L+1)×C to B.

    1/(L+1) · Σ_{k=0..L} [ the class of x(0) is not the class of x(k) ]: the AOPC of the function that is 1 where the
    model decides as it does for x(0), and 0 elsewhere. Only the order of the logits counts, so a positive factor on all
    of them changes nothing. Where the class of x(0) ties with another for the highest logit, it holds.

    Source: decision flips under erasure, Serrano, Smith, "Is Attention Interpretable?", ACL 2019; the area
    over the steps, Samek et al., IEEE TNNLS 28 (2017).
    """
    predicted = logits[:, :1].argmax(2, keepdim=True).expand(-1, logits.shape[1], -1)  # B×(L+1)×1
    flipped = logits.gather(2, predicted).squeeze(2) < logits.amax(2)  # B×(L+1)
    return flipped.double().mean(1).cpu().numpy()
