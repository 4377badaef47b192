"""Where things were a frame ago, and memory carried to where they are now."""
