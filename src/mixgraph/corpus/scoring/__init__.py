"""How near a found mixing graph comes to the true one."""
