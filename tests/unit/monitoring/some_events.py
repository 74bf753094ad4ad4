"""Events with made-up figures."""

from distxml.config.phases import PhaseName
from distxml.monitoring.events import EpochEvent, StepEvent

TERMS = {"total": 0.5, "sparsity": 0.25, "black": 0.125, "white": 0.75, "accuracy": 0.875, "explanation": 0.3}


def step_event(global_step: int, loss: float = 0.5, seconds_left: float | None = 90.0) -> StepEvent:
    return StepEvent(
        phase=PhaseName.EXPLAINER,
        epoch=1,
        epochs=None if seconds_left is None else 4,
        step=global_step,
        steps=9,
        global_step=global_step,
        terms=TERMS | {"total": loss},
        images_per_second=100.0,
        data_wait=0.125,
        step_seconds=0.08,
        gradient_norm=2.0,
        seconds_left=seconds_left,
    )


def epoch_event(global_epoch: int, accuracy: float = 0.875, epochs: int | None = 4) -> EpochEvent:
    return EpochEvent(
        phase=PhaseName.EXPLAINER,
        epoch=global_epoch,
        epochs=epochs,
        global_epoch=global_epoch,
        train=TERMS,
        val=TERMS | {"accuracy": accuracy},
        lr_classifier=0.0,
        lr_explainer=0.01,
        seconds=3.0,
        pace={"images_per_second": 100.0, "data_wait": 0.125, "step_seconds": 0.08, "gradient_norm": 2.0},
        memory={"resident_mb": 512.0},
    )
