"""SNMP v1 and v2c over one shared socket: bounded, paced, counted."""
