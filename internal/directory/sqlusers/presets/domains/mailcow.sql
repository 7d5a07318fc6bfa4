SELECT d.domain, NULL AS alias_of, CASE WHEN d.backupmx = 1 THEN 'yes' END AS relayed, t.nexthop AS relay
FROM domain d LEFT JOIN transports t ON t.destination = d.domain AND t.active = 1 WHERE d.active = 1
UNION ALL
SELECT a.alias_domain, a.target_domain, NULL, NULL FROM alias_domain a WHERE a.active = 1
