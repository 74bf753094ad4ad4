"""What a user sees while a run trains: terminal, TensorBoard, metrics log."""
