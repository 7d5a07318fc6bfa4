SELECT d.name AS domain, NULL AS alias_of, CASE WHEN d.type = 'relaydomain' THEN 'yes' END AS relayed, t.next_hop AS relay
FROM admin_domain d LEFT JOIN transport_transport t ON t.id = d.transport_id WHERE d.enabled = '1'
UNION ALL
SELECT a.name, d.name, NULL, NULL FROM admin_domainalias a JOIN admin_domain d ON d.id = a.target_id WHERE a.enabled = '1'
