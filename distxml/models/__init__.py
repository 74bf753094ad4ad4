"""The explainer, the classifiers and the joint model."""
