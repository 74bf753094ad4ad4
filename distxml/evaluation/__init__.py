"""How good the classifier and its explanations are."""
