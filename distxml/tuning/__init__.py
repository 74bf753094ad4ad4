"""Sweeps: what is tried next, phases that trials share, Ray Tune, the leaderboard."""
