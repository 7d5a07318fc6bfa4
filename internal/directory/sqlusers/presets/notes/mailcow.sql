SELECT 'bcc' AS code, local_dest AS subject, CONCAT('a copy of what it ', CASE WHEN type = 'sender' THEN 'sends' ELSE 'receives' END, ' goes to ', bcc_dest) AS text,
       'make a rule at the destination, or leave it' AS remedy
FROM bcc_maps WHERE active = 1
UNION ALL
SELECT 'database-filter', username, CONCAT('Mailcow runs a filter from its database ', CASE WHEN filter_type = 'prefilter' THEN 'before' ELSE 'after' END, ' the account''s own script: ', script_desc),
       'put its rules into the account''s script'
FROM sieve_filters WHERE script_name = 'active'
