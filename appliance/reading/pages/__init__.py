"""What printers' own web pages say beyond SNMP."""
