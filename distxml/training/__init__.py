"""Three-phase training of the joint model with Ray Train."""
