-- goto may name null@localhost, spam@localhost and ham@localhost: thrown away,
-- or learnt by the filter. recipient_maps come before aliases. spamalias are
-- addresses for a time, or (since 2025) for good.
SELECT address, goto AS target FROM alias a
WHERE active IN (1, 2) AND NOT EXISTS (SELECT 1 FROM recipient_maps r WHERE r.old_dest = a.address AND r.active = 1)
UNION ALL
SELECT old_dest, new_dest FROM recipient_maps WHERE active = 1
UNION ALL
SELECT s.address, s.goto FROM spamalias s CROSS JOIN (SELECT 0 AS permanent) older
WHERE s.validity >= UNIX_TIMESTAMP() OR (SELECT permanent FROM spamalias x WHERE x.address = s.address) <> 0
ORDER BY address
