"""`evaluation.py passes`: milliseconds of a forward pass by how many images are scored at once.

For f with a heatmap that is made anew, and with one that is kept; what the evaluator takes on a CPU is
`scoring.PIXELS_PER_PASS`.
"""

import torch
from evaluation_material import Subject
from evaluation_scorer import seconds
from train_rounds import Measure, medians, significant, take_turns

IMAGES = 64
AT_ONCE = (1, 2, 4, 8, 16, 32, 64)


def measure_passes(subject: Subject, rounds: int) -> dict[str, object]:
    """Medians over the rounds, by images at once."""
    model = subject.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    side = subject.card.image_size[0]
    gates = {"recompute": None, "fixed": torch.rand(IMAGES, 1, side, side)}
    image = torch.rand(IMAGES, 3, side, side)

    def candidate(gate: torch.Tensor | None, at_once: int) -> Measure:
        @torch.inference_mode()
        def score() -> None:
            for start in range(0, IMAGES, at_once):
                part = slice(start, start + at_once)
                model(image[part], None if gate is None else gate[part]).logits.sum().item()

        return lambda: 1000 * seconds(score) / IMAGES

    found: dict[str, object] = {"work": subject.name, "torch_threads": torch.get_num_threads()}
    for f, gate in gates.items():
        candidates = {f"{at_once} at once": candidate(gate, at_once) for at_once in AT_ONCE}
        middle = medians(take_turns(candidates, rounds, f"{subject.name}, {f}"))
        found[f"milliseconds per pass, {f}"] = {name: significant(value) for name, value in middle.items()}
    return found
