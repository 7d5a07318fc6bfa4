-- A route to another host takes the mail of a domain, hosted or not.
SELECT DISTINCT d.domain, CASE WHEN t.domain IS NOT NULL THEN 'yes' END AS relayed, t.transport AS relay
FROM mail_domain d LEFT JOIN mail_transport t ON t.domain = d.domain AND t.active = 'y' AND (t.transport LIKE 'smtp:%' OR t.transport LIKE 'relay:%')
WHERE d.active = 'y'
UNION
SELECT r.domain, 'yes', t.transport
FROM mail_relay_domain r LEFT JOIN mail_transport t ON t.domain = r.domain AND t.active = 'y'
WHERE r.active = 'y' AND NOT EXISTS (SELECT 1 FROM mail_domain d WHERE d.domain = r.domain AND d.active = 'y')
ORDER BY domain
