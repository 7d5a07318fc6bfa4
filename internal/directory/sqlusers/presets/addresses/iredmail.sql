-- A catch-all has the bare domain for an address. Every mailbox has a row that
-- leads to itself, and lists of mlmmj (is_maillist) have one, too.
SELECT CASE WHEN f.address = f.domain THEN CONCAT('@', f.domain) ELSE f.address END AS address, f.forwarding AS target, a.name
FROM forwardings f LEFT JOIN alias a ON a.address = f.address
WHERE f.active = 1 ORDER BY f.address, f.forwarding
