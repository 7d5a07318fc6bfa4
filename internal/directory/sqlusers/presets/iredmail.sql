-- iRedMail 0.9.8 and later (the database vmail), on MariaDB or PostgreSQL.
-- mailbox: quota in MiB, 0 for none. forwardings: is_alias rows are aliases of
-- the mailbox that they lead to, is_forwarding rows of the mailbox are its
-- forwards. Dovecot takes homes in lower case.
SELECT m.username AS login, m.password, m.name, m.language, m.quota * 1048576 AS quota, m.active,
       LOWER(CONCAT(m.storagebasedirectory, '/', m.storagenode, '/', m.maildir)) AS home,
       a.address AS aliases, f.forwarding AS forwards
FROM mailbox m
LEFT JOIN forwardings a ON a.forwarding = m.username AND a.is_alias = 1 AND a.active = 1
LEFT JOIN forwardings f ON f.address = m.username AND f.forwarding <> m.username AND f.is_forwarding = 1 AND f.active = 1
ORDER BY m.username, a.address
