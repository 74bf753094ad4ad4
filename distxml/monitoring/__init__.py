"""What a user sees while a run goes on: terminal, TensorBoard, metrics log."""
