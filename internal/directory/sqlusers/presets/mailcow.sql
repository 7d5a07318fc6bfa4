-- Mailcow (the database mailcow), on MariaDB.
-- mailbox: quota in octets, 0 for none; kind is empty but for locations, things
-- and groups; active 2 receives mail and cannot log in. Where authsource is not
-- mailcow, others check the password (before 2025 there was no such column: then
-- it is that of "older"). alias: as PostfixAdmin's, active 2 is hidden.
SELECT m.username AS login, m.name, m.quota,
       CASE WHEN (SELECT authsource FROM mailbox x WHERE x.username = m.username) = 'mailcow' THEN m.password END AS password,
       CASE WHEN m.active = 1 THEN 'yes' ELSE 'no' END AS active,
       CASE WHEN m.kind <> '' THEN CONCAT('it is a ', m.kind, ', not a person') END AS exclude,
       a.address AS aliases, own.goto AS forwards
FROM mailbox m CROSS JOIN (SELECT 'mailcow' AS authsource) older
LEFT JOIN alias a ON a.goto = m.username AND a.address <> m.username AND a.address NOT LIKE '@%' AND a.active IN (1, 2)
      AND NOT EXISTS (SELECT 1 FROM mailbox o WHERE o.username = a.address)
      AND NOT EXISTS (SELECT 1 FROM recipient_maps r WHERE r.old_dest = a.address AND r.active = 1)
LEFT JOIN alias own ON own.address = m.username AND own.goto <> m.username AND own.active IN (1, 2)
ORDER BY m.username, a.address
