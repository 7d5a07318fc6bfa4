-- vpopmail 5.4 with one table for all domains, on MariaDB.
-- vpopmail: pw_shell is the quota ("10485760S,1000C" or NOQUOTA), bits 2 and 8
-- of pw_gid forbid POP3 and IMAP. valias: lines "&user@domain" deliver to that
-- mailbox; an address with one such line alone is its alias.
SELECT CONCAT(v.pw_name, '@', v.pw_domain) AS login, v.pw_passwd AS password, v.pw_gecos AS name, v.pw_shell AS quota,
       CASE WHEN (v.pw_gid & 10) = 10 THEN 'no' ELSE 'yes' END AS active,
       v.pw_dir AS home, CONCAT('maildir:', v.pw_dir, '/Maildir') AS location,
       CASE WHEN a.alias IS NOT NULL THEN CONCAT(a.alias, '@', a.domain) END AS aliases
FROM vpopmail v
LEFT JOIN valias a ON a.valias_line = CONCAT('&', v.pw_name, '@', v.pw_domain)
      AND NOT EXISTS (SELECT 1 FROM valias o WHERE o.alias = a.alias AND o.domain = a.domain AND o.valias_line <> a.valias_line)
ORDER BY v.pw_domain, v.pw_name, a.alias
