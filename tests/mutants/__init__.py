"""A bank of small mistakes in the core, and the proof that the suite notices each of them."""
