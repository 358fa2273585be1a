"""What the box itself is."""
