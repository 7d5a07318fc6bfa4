-- Every mailbox has a row of its own; "@domain" is a catch-all.
SELECT address, goto AS target FROM alias WHERE active = '1' ORDER BY address
