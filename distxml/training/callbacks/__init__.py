"""What watches training without changing it: `base.py` says how to write a callback, `registry.py` lists them."""
