"""Who might be a printer."""
