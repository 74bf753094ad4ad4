"""Does the interval of "times random" hold the truth, and what does it do that only some ratios are shown?

    python benchmarks/coverage_ratio.py     # a quarter of a minute

AOPC of a method and of the random order on the same made-up images (normal, correlation 0.7), whose true ratio is
known. A ratio is shown where random's own interval is above 0. Prints a line per case and, last, JSON.
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.fieller import ratios_of_means
from distxml.evaluation.statistics.groups import Groups

RATIOS, IMAGES, SPREADS = (1.5, 3.0), (12, 60, 300), (0.5, 1.0, 3.0)
"""True ratios; images; standard deviations of an AOPC, in means of random's."""
CORRELATION = 0.7


def aopc(generator: np.random.Generator, images: int, ratio: float, spread: float) -> NDArray[np.float64]:
    """images×2: of the method, and of the random order, whose mean is 1."""
    together, own = generator.normal(size=(2, images))
    method = ratio + spread * (CORRELATION * together + np.sqrt(1 - CORRELATION**2) * own)
    return np.stack([method, 1 + spread * together], axis=1)


def cases(evaluations: int) -> Iterator[dict[str, float]]:
    """How often a ratio is shown, its median then, and how often its interval then holds the truth."""
    generator = np.random.default_rng(0)
    for ratio in RATIOS:
        for spread in SPREADS:
            for images in IMAGES:
                groups, found = Groups(np.arange(images)), []
                for _ in range(evaluations):
                    values = aopc(generator, images, ratio, spread)
                    one = ratios_of_means(values[:, :1], values[:, 1:], groups)
                    found.append((one.value[0], one.low[0], one.high[0]))
                value, low, high = np.array(found)[~np.isnan([value for value, *_ in found])].T
                yield {
                    "ratio": ratio,
                    "spread": spread,
                    "images": images,
                    "shown": len(value) / evaluations,
                    "median": float(np.median(value)),
                    "holds": float(((low <= ratio) & (ratio <= high)).mean()),
                }


def main() -> None:
    """A line per case, then all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=2000)
    results = []
    for case in cases(parser.parse_args().evaluations):
        print(", ".join(f"{name} {value:.3g}" for name, value in case.items()), flush=True)
        results.append(case)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
