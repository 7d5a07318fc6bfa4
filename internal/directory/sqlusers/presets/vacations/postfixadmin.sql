SELECT email AS address, subject, body AS text, activefrom AS since, activeuntil AS until FROM vacation WHERE active = '1' ORDER BY email
