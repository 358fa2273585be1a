"""Root's side of the privilege boundary: validate privileged requests and carry them out."""
