-- Every mailbox has an internal alias that leads to itself, disabled where it
-- keeps no copy of what a person's alias of the same address sends on; an alias
-- domain has an internal alias "@old" to "@new".
SELECT al.address, r.address AS target FROM admin_alias al JOIN modoboa_admin_aliasrecipient r ON r.alias_id = al.id
WHERE al.enabled = '1' AND (al.expire_at IS NULL OR al.expire_at > CURRENT_TIMESTAMP) ORDER BY al.address, r.address
