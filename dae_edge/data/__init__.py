"""What the models train on: digits, pictures and drawn clips, as batches."""
