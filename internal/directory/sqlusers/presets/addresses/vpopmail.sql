-- Lines of valias: "&user@domain", "|program", a mailbox's Maildir or another
-- path. Where the table has a column copy, an account keeps one. What is in
-- files .qmail-… (catch-alls in .qmail-default) is not in the database.
SELECT CONCAT(a.alias, '@', a.domain) AS address,
       CASE WHEN a.valias_line LIKE '&%' THEN SUBSTRING(a.valias_line, 2)
            WHEN v.pw_name IS NOT NULL THEN CONCAT(v.pw_name, '@', v.pw_domain)
            ELSE a.valias_line END AS target
FROM valias a LEFT JOIN vpopmail v ON v.pw_dir <> '' AND a.valias_line IN (CONCAT(v.pw_dir, '/Maildir'), CONCAT(v.pw_dir, '/Maildir/'))
UNION
SELECT CONCAT(a.alias, '@', a.domain), CONCAT(a.alias, '@', a.domain)
FROM valias a CROSS JOIN (SELECT 0 AS copy) older
WHERE EXISTS (SELECT 1 FROM valias x WHERE x.alias = a.alias AND x.domain = a.domain AND copy = 1)
ORDER BY address
