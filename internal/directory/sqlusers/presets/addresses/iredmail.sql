-- A catch-all has the bare domain for an address. Every mailbox has a row that
-- leads to itself; lists of mlmmj (is_maillist) have one, too, and are told in
-- the notes.
SELECT CASE WHEN f.address = f.domain THEN CONCAT('@', f.domain) ELSE f.address END AS address, f.forwarding AS target, a.name
FROM forwardings f LEFT JOIN alias a ON a.address = f.address
WHERE f.active = 1 AND f.is_maillist = 0 ORDER BY f.address, f.forwarding
