-- Lines of valias: "&user@domain", "|program" or a path. What is in files
-- .qmail-… (catch-alls in .qmail-default) is not in the database.
SELECT CONCAT(alias, '@', domain) AS address, CASE WHEN valias_line LIKE '&%' THEN SUBSTRING(valias_line, 2) ELSE valias_line END AS target
FROM valias ORDER BY domain, alias
