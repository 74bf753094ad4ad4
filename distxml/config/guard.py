"""Settings of the guard against heatmaps that go black or stay white."""

from pydantic import Field, model_validator

from distxml.config.base import Settings


class GuardSettings(Settings):
    """Watches the heatmap while the explainer learns. A black one, or one that is the same for every image, has no
    gradient left and never comes back."""

    black_below: float = Field(default=0.05, gt=0, lt=1)
    """Heat below which a pixel counts as black."""
    white_above: float = Field(default=0.75, gt=0, lt=1)
    """Heat above which a pixel counts as white. An untrained heatmap is tanh of a normal variable around
    `model.init_bias`: at 3, 98% of its pixels are above 0.75, but only 88% above 0.95."""
    black_share: float | None = Field(default=0.998, gt=0, le=1)
    """The heatmap has gone black when this share of pixels is: in the running mean over training steps, or in
    validation. Training then goes back to the last healthy checkpoint and lowers the explainer's learning rate. Unset:
    never."""
    same_below: float | None = Field(default=0.05, gt=0, lt=1)
    """The heatmap ignores the image when most of it is black and the heatmaps of two images differ by less than this
    share of their heat (sum of |h - h'| over sum of h + h'). What follows is the same as for a black one. It
    needs two images per worker in a batch. Unset: never."""
    white_share: float = Field(default=0.95, gt=0, le=1)
    """The heatmap is white when this share of pixels is, in the running mean over training steps."""
    white_steps: int | None = Field(default=200, ge=1)
    """While only the explainer learns: steps of a white heatmap after which its learning rate is raised. Unset:
    never."""
    factor: float = Field(default=0.5, gt=0, lt=1)
    """What the explainer's learning rate is multiplied by when the heatmap goes black; divided by when it stays
    white."""
    tries: int = Field(default=4, ge=0)
    """How often the guard acts in a phase before it stops the run with a diagnosis."""

    @model_validator(mode="after")
    def _black_is_darker(self) -> "GuardSettings":
        if self.black_below >= self.white_above:
            raise ValueError("black_below must be lower than white_above")
        return self
