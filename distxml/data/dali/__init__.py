"""The same pipeline in NVIDIA DALI."""
