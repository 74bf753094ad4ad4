"""TensorBoard: loss terms, accuracy, rates, phase boundaries, and the heatmaps of a few validation images."""

from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard.writer import SummaryWriter

from distxml.data.batch import Batch
from distxml.models.joint import JointOutput
from distxml.monitoring.events import EpochEvent, PhaseEndEvent
from distxml.monitoring.overlay import triptych


class TensorBoard:
    """Writes event files; the horizontal axis is the global epoch."""

    def __init__(self, folder: Path, resume_after: int) -> None:
        self.writer = SummaryWriter(str(folder), purge_step=resume_after + 1)

    def write_epoch(self, event: EpochEvent) -> None:
        """All figures of an epoch."""
        step = event.global_epoch
        for split, figures in (("train", event.train), ("val", event.val)):
            for name, value in figures.items():
                self.writer.add_scalar(f"{name}/{split}", value, step)
        self.writer.add_scalar("learning_rate/classifier", event.lr_classifier, step)
        self.writer.add_scalar("learning_rate/explainer", event.lr_explainer, step)
        self.writer.add_scalar("speed/images_per_second", event.images_per_second, step)
        self.writer.add_scalar("phase", event.phase, step)
        self.writer.flush()

    def write_phase_end(self, event: PhaseEndEvent) -> None:
        """Why a phase ended."""
        self.writer.add_text("phase_end", f"phase {event.phase}: {event.reason}", event.global_epoch)

    def write_gallery(self, batch: Batch, output: JointOutput, global_epoch: int) -> None:
        """Image | heatmap | overlay of each image of the batch, always under the same name."""
        images = (batch.image * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()  # B×H×W×3
        heatmaps = output.heatmap[:, 0].float().cpu().numpy()  # B×H×W
        for key, image, heatmap in zip(batch.key, images, heatmaps, strict=True):
            picture = triptych(image, np.asarray(heatmap))
            self.writer.add_image(f"heatmaps/{key}", picture, global_epoch, dataformats="HWC")

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()
