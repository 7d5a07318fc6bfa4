-- Mailcow (the database mailcow), on MariaDB.
-- mailbox: quota in octets; kind is empty but for rooms and things; active 2
-- receives mail and cannot log in. alias: as PostfixAdmin's.
SELECT m.username AS login, m.password, m.name, m.quota,
       CASE WHEN m.active = 1 THEN 'yes' ELSE 'no' END AS active,
       CASE WHEN m.kind <> '' THEN CONCAT('it is a ', m.kind, ', not a person') END AS exclude,
       a.address AS aliases, own.goto AS forwards
FROM mailbox m
LEFT JOIN alias a ON a.goto = m.username AND a.address <> m.username AND a.address NOT LIKE '@%' AND a.active = 1
      AND NOT EXISTS (SELECT 1 FROM mailbox o WHERE o.username = a.address)
LEFT JOIN alias own ON own.address = m.username AND own.goto <> m.username AND own.active = 1
ORDER BY m.username, a.address
