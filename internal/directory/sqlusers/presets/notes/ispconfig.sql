SELECT 'list-manager' AS code, email AS subject, 'is a list that Mailman keeps: its members are not in the database' AS text,
       'list them with Mailman, and make a list of them at the destination' AS remedy
FROM mail_mailinglist
UNION ALL
SELECT 'no-delivery', email, 'receives no mail at the source: its delivery is switched off', 'leave it out, or let it receive mail'
FROM mail_user WHERE postfix = 'n' OR disabledeliver = 'y'
UNION ALL
SELECT 'bcc', email, CONCAT('a copy of what it sends goes to ', sender_cc), 'make a rule at the destination, or leave it'
FROM mail_user WHERE sender_cc <> ''
UNION ALL
SELECT 'database-filter', u.email, 'ISPConfig keeps filter rules for it in its database and writes them into scripts beside the account''s own',
       'look at .ispconfig.sieve in its home, and put the rules into the account''s script'
FROM mail_user u WHERE u.custom_mailfilter <> '' OR EXISTS (SELECT 1 FROM mail_user_filter f WHERE f.mailuser_id = u.mailuser_id AND f.active = 'y')
