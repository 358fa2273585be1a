"""SNMP v1 and v2c as a printer speaks them: bounded, counted, over one shared socket."""
