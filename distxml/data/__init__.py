"""From a Parquet dataset to batches."""
