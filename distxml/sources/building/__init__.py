"""From raw material to Parquet files: splits, shards, several processes, going on after an interruption."""
