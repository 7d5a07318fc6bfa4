SELECT 'list-manager' AS code, address AS subject, 'is a list that mlmmj keeps: its members are in its files, not in the database' AS text,
       'list them with mlmmj-list, and make a list of them at the destination' AS remedy
FROM maillists WHERE active = 1
UNION ALL
SELECT 'list-policy', address, CONCAT('not everybody may write to it (', accesspolicy, '); at the destination everybody may'),
       'decide whether that will do, or leave the list out'
FROM alias WHERE active = 1 AND accesspolicy <> '' AND accesspolicy <> 'public'
UNION ALL
SELECT 'bcc', username, CONCAT('a copy of what it receives goes to ', bcc_address), 'make a rule at the destination, or leave it'
FROM recipient_bcc_user WHERE active = 1
UNION ALL
SELECT 'bcc', domain, CONCAT('a copy of what it receives goes to ', bcc_address), 'make a rule at the destination, or leave it'
FROM recipient_bcc_domain WHERE active = 1
UNION ALL
SELECT 'bcc', username, CONCAT('a copy of what it sends goes to ', bcc_address), 'make a rule at the destination, or leave it'
FROM sender_bcc_user WHERE active = 1
UNION ALL
SELECT 'bcc', domain, CONCAT('a copy of what it sends goes to ', bcc_address), 'make a rule at the destination, or leave it'
FROM sender_bcc_domain WHERE active = 1
