-- Modoboa 1.7 and later, on MariaDB, PostgreSQL or SQLite.
-- admin_mailbox: quota in MiB; the password is the user's, in core_user.
-- admin_alias: those that a person made and that lead to one mailbox alone are
-- aliases; the others are lists and stay behind.
SELECT CONCAT(mb.address, '@', d.name) AS login, u.password,
       CONCAT(u.first_name, ' ', u.last_name) AS name, mb.quota * 1048576 AS quota, u.is_active AS active,
       al.address AS aliases
FROM admin_mailbox mb
JOIN admin_domain d ON d.id = mb.domain_id
JOIN core_user u ON u.id = mb.user_id
LEFT JOIN admin_aliasrecipient r ON r.r_mailbox_id = mb.id
      AND NOT EXISTS (SELECT 1 FROM admin_aliasrecipient o WHERE o.alias_id = r.alias_id AND o.id <> r.id)
LEFT JOIN admin_alias al ON al.id = r.alias_id AND al.enabled = '1' AND al.internal = '0' AND al.address NOT LIKE '@%'
ORDER BY d.name, mb.address, al.address
