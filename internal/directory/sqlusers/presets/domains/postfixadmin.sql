-- Alias domains are domains, too. A backup MX delivers elsewhere.
SELECT d.domain, a.target_domain AS alias_of, CASE WHEN d.backupmx = '1' THEN 'yes' END AS relayed, d.transport AS relay
FROM domain d LEFT JOIN alias_domain a ON a.alias_domain = d.domain AND a.active = '1'
WHERE d.active = '1' AND d.domain <> 'ALL' ORDER BY d.domain
