"""Raw material to Parquet datasets."""
