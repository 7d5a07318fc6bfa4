SELECT s.address, CONCAT(mb.address, '@', d.name) AS login
FROM admin_senderaddress s JOIN admin_mailbox mb ON mb.id = s.mailbox_id JOIN admin_domain d ON d.id = mb.domain_id
ORDER BY s.address, mb.address
