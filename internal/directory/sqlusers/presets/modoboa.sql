-- Modoboa 1.10 and later, on MariaDB, PostgreSQL or SQLite.
-- admin_mailbox: quota in MiB, 0 for none; the password is the user's, in
-- core_user; that of one who is not local is checked by another directory.
-- admin_alias: a person's alias with a mailbox's address holds its forwards;
-- other ones that lead to one mailbox alone are its aliases.
SELECT CONCAT(mb.address, '@', d.name) AS login, CASE WHEN u.is_local = '1' THEN u.password END AS password,
       CONCAT(u.first_name, ' ', u.last_name) AS name, u.language, mb.quota * 1048576 AS quota, u.is_active AS active,
       al.address AS aliases, f.address AS forwards
FROM admin_mailbox mb
JOIN admin_domain d ON d.id = mb.domain_id
JOIN core_user u ON u.id = mb.user_id
LEFT JOIN modoboa_admin_aliasrecipient r ON r.r_mailbox_id = mb.id
      AND NOT EXISTS (SELECT 1 FROM modoboa_admin_aliasrecipient o WHERE o.alias_id = r.alias_id AND o.id <> r.id)
LEFT JOIN admin_alias al ON al.id = r.alias_id AND al.enabled = '1' AND al.internal = '0' AND al.address NOT LIKE '@%'
      AND (al.expire_at IS NULL OR al.expire_at > CURRENT_TIMESTAMP)
LEFT JOIN admin_alias own ON own.address = CONCAT(mb.address, '@', d.name) AND own.enabled = '1' AND own.internal = '0'
LEFT JOIN modoboa_admin_aliasrecipient f ON f.alias_id = own.id AND f.address <> own.address
ORDER BY d.name, mb.address, al.address, f.address
