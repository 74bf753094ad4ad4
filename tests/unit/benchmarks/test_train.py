"""What `benchmarks/train.py` compares with does the same work: the same losses, the same steps."""

import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointModel
from distxml.training.epoch import train_step
from distxml.training.learner import Learner, build_optimizer, set_learning
from distxml.training.validation import validate

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
ALL_LEARN = PhaseName.JOINT


def benchmark(name: str):
    """A module of the folder, which is no package."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return import_module(name)


def small_recipe(*overrides: str) -> Recipe:
    return load_settings(Recipe, "polygons", ["model.width=2", "model.explainer_width=2", *overrides])


def noise(images: int, side: int = 16, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(images, 3, side, side, generator=generator)
    mask = (torch.rand(images, 1, side, side, generator=generator) > 0.5).float()
    label = torch.randint(0, 2, (images,), generator=generator)
    keys = tuple(map(str, range(images)))
    return Batch(image, label, mask, torch.ones(images, dtype=torch.bool), keys, torch.ones(images))


def small_model(recipe: Recipe) -> JointModel:
    torch.manual_seed(3)
    return JointModel(recipe.model, 2)


def assert_same_weights(one: JointModel, other: JointModel) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("kind", ["unsupervised", "hybrid"])
@given(seed=st.integers(0, 2**32), images=st.integers(1, 5))
def test_losses_of_both_rivals_are_ours(kind, seed, images):
    recipe = small_recipe(f"loss.kind={kind}", "loss.gamma=0.7")
    batch = noise(images, 8, seed)
    heat, logits = torch.rand(images, 1, 8, 8), torch.randn(images, 2)
    settings, alpha = recipe.loss, recipe.phases[ALL_LEARN].alpha
    ours = JointLoss(settings.kind, alpha, settings.beta, settings.gamma)
    expected = ours(logits, heat, batch.label, batch.mask, has_mask=batch.has_mask, weight=batch.weight)
    reference = benchmark("train_reference").Reference.build(recipe, ALL_LEARN, small_model(recipe), fused=False)
    torch.testing.assert_close(reference.loss(logits, heat, batch), expected)
    torch.testing.assert_close(benchmark("train_bare").plain_loss(recipe, logits, heat, batch), expected)


def test_all_three_make_the_same_steps():
    recipe = small_recipe("loss.kind=hybrid", "optimizer.clip_norm=null")
    batches = [noise(4, seed=seed) for seed in range(3)]
    ours, bare, rival = (small_model(recipe) for _ in range(3))
    learner = Learner.build(recipe, ALL_LEARN, ours, None)
    for batch in batches:
        train_step(learner, batch)
    set_learning(bare, recipe.phases[ALL_LEARN])
    optimizer = build_optimizer(bare, recipe.phases[ALL_LEARN], recipe.optimizer)
    benchmark("train_bare").bare_steps(recipe, bare, optimizer, batches)
    reference = benchmark("train_reference").Reference.build(recipe, ALL_LEARN, rival, fused=False)
    reference.train(batches)
    assert_same_weights(ours, bare)
    assert_same_weights(ours, rival)
    mine, theirs = validate(learner, iter(batches)), reference.evaluate(batches)
    assert theirs == {name: pytest.approx(mine[name], rel=1e-4) for name in theirs}


def test_the_bare_loop_clips_where_the_recipe_does():
    recipe = small_recipe("optimizer.clip_norm=0.01")
    ours, bare = (small_model(recipe) for _ in range(2))
    train_step(Learner.build(recipe, ALL_LEARN, ours, None), noise(4))
    set_learning(bare, recipe.phases[ALL_LEARN])
    optimizer = build_optimizer(bare, recipe.phases[ALL_LEARN], recipe.optimizer)
    benchmark("train_bare").bare_steps(recipe, bare, optimizer, [noise(4)])
    assert_same_weights(ours, bare)


def test_the_reference_trains_what_the_phase_says():
    recipe = small_recipe("phases.explainer.lr_explainer=0.05")
    for phase, learns in ((PhaseName.CLASSIFIER, "classifier"), (PhaseName.EXPLAINER, "explainer")):
        model, before = small_model(recipe), dict(small_model(recipe).named_parameters())
        benchmark("train_reference").Reference.build(recipe, phase, model, fused=True).train([noise(4)])
        moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert moved == {learns}


def test_epochs_are_put_together_from_steps_and_batches():
    procedure = benchmark("train_procedure")
    steps, evaluated = procedure.Seconds(1.0, 0.0), procedure.Seconds(0.0, 1.0)
    assert procedure.our_phase(steps, 10, 8) == procedure.reference_phase(steps, 10, 8) == 10 * 57
    assert procedure.our_phase(evaluated, 10, 8) == 12 * 15
    assert procedure.reference_phase(evaluated, 10, 8) == 10 * (57 + 15)


def test_rounds_that_warm_up_do_not_count():
    rounds = benchmark("train_rounds")
    order: list[str] = []
    turn = iter(range(100))

    def measure(name: str):
        return lambda: order.append(name) or float(next(turn))

    measured = rounds.take_turns({"a": measure("a"), "b": measure("b")}, 2, "test")
    assert order == ["a", "b"] * 3
    assert measured == {"a": [2, 4], "b": [3, 5]}
    assert rounds.medians(measured) == {"a": 3, "b": 4}
    assert rounds.ranges(measured) == {"a": [2, 4], "b": [3, 5]}
