"""TensorBoard: figures of steps and epochs, what each phase ended with, a few heatmaps, the run's settings."""

from pathlib import Path

import numpy as np
import torch
from tensorboard.compat.proto.event_pb2 import Event as FileEvent  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.compat.proto.event_pb2 import SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from torch.utils.tensorboard.writer import SummaryWriter

from distxml.config import Recipe
from distxml.data.batch import Batch
from distxml.models.joint import JointOutput
from distxml.monitoring.confusion import confusion_picture
from distxml.monitoring.events import EpochEvent, GuardEvent, NoticeEvent, PhaseEndEvent, StepEvent
from distxml.monitoring.hparams import run_summaries, validation_tag
from distxml.monitoring.overlay import triptych
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.monitoring.scalars import ScalarWriter, event_file

STEPS_FOLDER = "steps"
SECONDS_BETWEEN_FLUSHES = 5
MAX_CURVES = 20
"""Classes whose precision-recall curve is written."""


class TensorBoard:
    """Writes event files, two sets of them.

    The folder's own horizontal axis is the global epoch; that of its subfolder `steps` is the global step. An event
    file has one axis only: what comes after a checkpoint is forgotten by its number on that axis.
    """

    def __init__(self, folder: Path, resume_after: int, resume_step: int) -> None:
        """
        Args:
            folder: of the event files.
            resume_after: finished epochs; what was written of later ones is forgotten.
            resume_step: optimizer steps made; likewise.
        """
        self.writer = SummaryWriter(str(folder), purge_step=resume_after + 1)
        steps = str(folder / STEPS_FOLDER)
        self.steps = SummaryWriter(steps, purge_step=resume_step + 1, flush_secs=SECONDS_BETWEEN_FLUSHES)
        self._scalars, self._step_scalars = ScalarWriter(self.writer), ScalarWriter(self.steps)
        self._notices: list[NoticeEvent] = []

    def rewind(self, after_epoch: int, after_step: int) -> None:
        """Training resumes from an earlier place: forget what was written of later epochs and steps."""
        for writer, first_forgotten in ((self.writer, after_epoch + 1), (self.steps, after_step + 1)):
            start = SessionLog(status=SessionLog.START)
            event_file(writer).add_event(FileEvent(step=first_forgotten, session_log=start))

    def write_step(self, event: StepEvent) -> None:
        """Figures of the epoch so far."""
        figures = event.terms | {
            "images_per_second": event.images_per_second,
            "data_wait": event.data_wait,
            "step_seconds": event.step_seconds,
            "gradient_norm": event.gradient_norm,
        }
        for name, value in figures.items():
            self._step_scalars.add(name, value, event.global_step, tag=f"step/{name}")

    def write_epoch(self, event: EpochEvent) -> None:
        """All figures of an epoch."""
        figures = [
            ("lr_classifier", event.lr_classifier, "learning_rate/classifier"),
            ("lr_explainer", event.lr_explainer, "learning_rate/explainer"),
            ("phase", event.phase.number, "phase"),
            *((name, value, _pace_tag(name)) for name, value in event.pace.items()),
            *((name, value, f"{name}/train") for name, value in event.train.items()),
            *((name, value, validation_tag(name)) for name, value in event.val.items()),
            *((name, value, f"memory/{name}") for name, value in event.memory.items()),
        ]
        for name, value, tag in figures:
            self._scalars.add(name, value, event.global_epoch, tag)
        self.flush()

    def write_phase_end(self, event: PhaseEndEvent, figures: PhaseFigures | None) -> None:
        """Why a phase ended, and what the model tells apart by then."""
        self.writer.add_text("phase_end", f"{event.phase.label}: {event.reason}", event.global_epoch)
        if figures is not None:
            picture = confusion_picture(figures.confusion, figures.classes)
            self.writer.add_image("confusion", picture, event.global_epoch, dataformats="HWC")
            self._write_curves(figures, event.global_epoch)

    def _write_curves(self, figures: PhaseFigures, global_epoch: int) -> None:
        """Precision and recall of the first classes, each against the rest."""
        precision, recall = figures.precision(), figures.recall()
        for index, name in enumerate(figures.classes[:MAX_CURVES]):
            self.writer.add_pr_curve_raw(
                f"precision_recall/{name}",
                true_positive_counts=figures.true_positives[index],
                false_positive_counts=figures.false_positives[index],
                true_negative_counts=figures.true_negatives[index],
                false_negative_counts=figures.false_negatives[index],
                precision=precision[index],
                recall=recall[index],
                global_step=global_epoch,
                num_thresholds=precision.shape[1],
            )

    def write_guard(self, event: GuardEvent) -> None:
        """What the collapse guard saw and did."""
        text = f"{event.reason}; {event.action} (explainer's learning rate now {event.lr_explainer:g})"
        self.writer.add_text(f"guard/{event.phase}_try{event.tries}", text, event.global_epoch)
        self._scalars.add("guard_tries", event.tries, event.global_epoch, tag="guard/tries")
        self.flush()

    def write_notice(self, event: NoticeEvent) -> None:
        """Something worth knowing; notices of one epoch are shown together, as TensorBoard keeps one text a number."""
        self._notices = [kept for kept in self._notices if kept.global_epoch == event.global_epoch] + [event]
        text = "\n\n".join(notice.message for notice in self._notices)
        self.writer.add_text("notice", text, event.global_epoch)
        self.flush()

    def write_gallery(self, batch: Batch, output: JointOutput, global_epoch: int) -> None:
        """Image | heatmap | overlay of each image of the batch, always under the same name."""
        images = (batch.image * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()  # B×H×W×3
        heatmaps = output.heatmap[:, 0].float().cpu().numpy()  # B×H×W
        for key, image, heatmap in zip(batch.key, images, heatmaps, strict=True):
            picture = triptych(image, np.asarray(heatmap))
            self.writer.add_image(f"heatmaps/{key}", picture, global_epoch, dataformats="HWC")

    def write_settings(self, recipe: Recipe) -> None:
        """The run's row in the HParams table; its metrics are the newest epoch's."""
        *begun, self._ended = run_summaries(recipe)  # `add_hparams` would make a run of its own
        for summary in begun:
            event_file(self.writer).add_summary(summary)
        self.flush()

    def write_end(self) -> None:
        """The run is complete; `write_settings` came before."""
        event_file(self.writer).add_summary(self._ended)

    def flush(self) -> None:
        """Let a reader see all that was written."""
        self.writer.flush()
        self.steps.flush()

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()
        self.steps.close()


def _pace_tag(name: str) -> str:
    return name if name == "gradient_norm" else f"speed/{name}"
