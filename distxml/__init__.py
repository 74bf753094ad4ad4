"""distxml: image classifiers trained together with the network that explains them."""

__version__ = "0.1.0"
