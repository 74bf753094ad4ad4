"""The primary comparison a second time, under the other gate.

Replaced patches change the heatmap that gates the classifier, too. `recompute` has both effects, `fixed` only that on
the image: what holds under both does not rest on how the gate moves.
"""

from dataclasses import replace

from distxml.config.evaluation import EvaluationSettings, Scoring
from distxml.evaluation.prepare import DRAW, Evaluation
from distxml.evaluation.scoring.plan import make_plan

OTHER: dict[Scoring, Scoring] = {"recompute": "fixed", "fixed": "recompute"}


def under_other_gate(evaluation: Evaluation) -> Evaluation | None:
    """What the primary comparison needs under the other gate; None where there is none, or it is not asked for.

    Post-hoc methods explain the function that is scored: here the one with the other gate.
    """
    settings = evaluation.recipe.evaluation
    if settings.f not in OTHER or not settings.primary.under_other_gate or not has_primary(evaluation):
        return None
    recipe = evaluation.recipe.model_copy(update={"evaluation": _narrowed(settings)})
    plan = make_plan(recipe.evaluation, evaluation.scored.image_size, evaluation.label_of_key, DRAW)
    return replace(
        evaluation,
        scored=evaluation.scored.model_copy(update={"gating": recipe.scored_gating}),
        spec=replace(evaluation.spec, recipe=recipe, plan=plan),
    )


def has_primary(evaluation: Evaluation) -> bool:
    """Whether the plan has all that the primary comparison needs."""
    plan, primary = evaluation.plan, evaluation.recipe.evaluation.primary
    sizes = {curve.patch_size for curve in plan.curves}
    measured = {primary.method, primary.other} <= {*plan.methods} and primary.patch_size in {None, *sizes}
    return bool(plan.curve_keys) and measured


def _narrowed(settings: EvaluationSettings) -> EvaluationSettings:
    """The two methods, the first order, and the primary comparison's patch size and fill."""
    primary = settings.primary
    return settings.model_copy(
        update={
            "f": OTHER[settings.f],
            "methods": tuple(name for name in settings.methods if name in (primary.method, primary.other)),
            "orders": settings.orders[:1],
            "fills": settings.fills if primary.fill is None else (primary.fill,),
            "patch_sizes": settings.patch_sizes if primary.patch_size is None else (primary.patch_size,),
        }
    )
