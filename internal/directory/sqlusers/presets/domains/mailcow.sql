SELECT d.domain, NULL AS alias_of, CASE WHEN d.backupmx = 1 THEN 'yes' END AS relayed FROM domain d WHERE d.active = 1
UNION ALL
SELECT a.alias_domain, a.target_domain, NULL FROM alias_domain a WHERE a.active = 1
