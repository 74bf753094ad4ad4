"""Rows of images to the numbers that are reported: means, intervals, differences."""
