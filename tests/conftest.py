"""Settings of all tests."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: small tensors, and several tests at a time

settings.register_profile("shared_machine", deadline=None, max_examples=50)
settings.load_profile("shared_machine")
