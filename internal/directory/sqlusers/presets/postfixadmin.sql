-- PostfixAdmin 2.3 and later, on MariaDB, PostgreSQL or SQLite.
-- mailbox: one row an account; quota in octets. alias: every mailbox has a row
-- of its own, whose goto names the mailbox (a copy is kept) and where else the
-- mail goes. Rows to one mailbox alone that are no other's own are its aliases; rows of "@domain"
-- are catch-alls and stay behind.
SELECT m.username AS login, m.password, m.name, m.quota, m.active,
       a.address AS aliases, own.goto AS forwards
FROM mailbox m
LEFT JOIN alias a ON a.goto = m.username AND a.address <> m.username AND a.address NOT LIKE '@%' AND a.active = '1'
      AND NOT EXISTS (SELECT 1 FROM mailbox o WHERE o.username = a.address)
LEFT JOIN alias own ON own.address = m.username AND own.goto <> m.username AND own.active = '1'
ORDER BY m.username, a.address
