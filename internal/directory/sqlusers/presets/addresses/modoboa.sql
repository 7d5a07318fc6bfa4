-- Every mailbox has an internal alias, whose recipients are its forwards.
SELECT al.address, r.address AS target FROM admin_alias al JOIN admin_aliasrecipient r ON r.alias_id = al.id
WHERE al.enabled = '1' ORDER BY al.address, r.address
