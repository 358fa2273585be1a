"""What each vendor's SNMP objects mean."""
