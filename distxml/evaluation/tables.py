"""The tables of an evaluation: what one row of each says. Tools outside read them as Parquet."""

import pyarrow as pa

IMAGES_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("group", pa.string()),  # null: an image by itself
        pa.field("label", pa.int32(), nullable=False),
        pa.field("predicted", pa.int32(), nullable=False),
        pa.field("probabilities", pa.list_(pa.float64()), nullable=False),  # one per class
        pa.field("classification", pa.float64(), nullable=False),
        pa.field("sparsity", pa.float64(), nullable=False),
        pa.field("contiguity", pa.float64(), nullable=False),
        pa.field("weak", pa.float64()),  # null: not annotated
        pa.field("explanation", pa.float64(), nullable=False),
        pa.field("total", pa.float64(), nullable=False),
        pa.field("pompom", pa.float64()),  # null: not annotated
        pa.field("pompom_all_pixels", pa.float64()),  # null: not annotated
        pa.field("heat_mean", pa.float64(), nullable=False),
        pa.field("heat_inside", pa.float64()),  # null: not annotated, or the mask is empty or covers everything
        pa.field("heat_outside", pa.float64()),  # null: the same
    ]
)
"""One row per image of the split, sorted by key: the scored model's logits, and the explainer's heatmap."""

HEATMAPS_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("group", pa.string()),  # null: an image by itself
        pa.field("label", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),  # class that is explained
        pa.field("method", pa.string(), nullable=False),
        pa.field("pompom", pa.float64()),  # post-hoc heatmaps are divided by their maximum; null: not annotated
        pa.field("pompom_all_pixels", pa.float64()),  # null: not annotated
        pa.field("pompom_equal_area", pa.float64()),  # null: not annotated, or the mask is empty or covers everything
        pa.field("energy_inside", pa.float64()),  # share of the heat; null: not annotated, mask empty, or no heat
        pa.field("pointing", pa.float64()),  # share of the hottest pixels; null: not annotated, or mask empty
    ]
)
"""One row per perturbed image and method (but `random`, which has no heatmap); sorted by key, then in the order of the
settings."""

CURVES_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("group", pa.string()),  # null: an image by itself
        pa.field("label", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),  # class whose probability (or logit) f is
        pa.field("method", pa.string(), nullable=False),
        pa.field("patch_size", pa.int32(), nullable=False),
        pa.field("fill", pa.string(), nullable=False),
        pa.field("order", pa.string(), nullable=False),  # morf or lerf
        pa.field("steps", pa.int32(), nullable=False),  # L: points beside the unperturbed image
        pa.field("share", pa.list_(pa.float64()), nullable=False),  # of the image that is replaced, at L + 1 points
        pa.field("f", pa.list_(pa.float64()), nullable=False),  # f at these points; the first is f(x(0))
        pa.field("aopc", pa.float64(), nullable=False),
        pa.field("tie_share", pa.float64(), nullable=False),
    ]
)
"""One row per perturbed image, method, patch size, order and fill; sorted by key, then in the order of the settings:
methods, patch sizes, orders, fills.

Images of one `group` (a patient), in any table, are not independent of each other."""
