-- The text is a format of Python's, which knows a few names.
SELECT CONCAT(mb.address, '@', d.name) AS address, m.subject, m.fromdate AS since, m.untildate AS until,
       REPLACE(REPLACE(REPLACE(REPLACE(m.content, '%(name)s', CONCAT(u.first_name, ' ', u.last_name)),
       '%(fromdate)s', COALESCE(SUBSTRING(CONCAT(m.fromdate, ''), 1, 10), '')), '%(untildate)s', COALESCE(SUBSTRING(CONCAT(m.untildate, ''), 1, 10), '')), '%%', '%') AS text
FROM postfix_autoreply_armessage m
JOIN admin_mailbox mb ON mb.id = m.mbox_id JOIN admin_domain d ON d.id = mb.domain_id JOIN core_user u ON u.id = mb.user_id
WHERE m.enabled = '1' ORDER BY d.name, mb.address
