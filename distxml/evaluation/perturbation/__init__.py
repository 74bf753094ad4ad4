"""MoRF and LeRF: patches, fills, curves and AOPC."""
