"""From raw material to Parquet files: splits, shards, several processes, resuming after an interruption."""
