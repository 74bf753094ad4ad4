"""What the check of an image found."""

from pydantic import BaseModel, ConfigDict, Field


class Verdict(BaseModel):
    """One item of the source, looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=0)
    """Place in the source's list."""
    image: str = ""
    """SHA-256 of the image as it goes into the dataset."""
    row: str = ""
    """`rows_digest` of the row: image, mask, key and label."""
    remark: str | None = None
    """What was done to the image or is odd about it."""
    reason: str | None = None
    """Why it cannot be used; None: it can."""
