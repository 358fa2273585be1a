"""What a printer says: from an address to a Reading."""
