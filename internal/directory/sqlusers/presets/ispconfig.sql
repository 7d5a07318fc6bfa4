-- ISPConfig 3.1 and later (the database dbispconfig), on MariaDB.
-- mail_user: quota in octets, 0 or -1 for none; cc is where mail goes as well.
-- Mail is below the home. mail_forwarding: rows of type alias.
SELECT u.login AS login, u.email AS address, u.password, u.name,
       CASE WHEN u.quota > 0 THEN u.quota ELSE 0 END AS quota,
       CASE WHEN u.disableimap = 'y' AND u.disablepop3 = 'y' THEN 'no' ELSE 'yes' END AS active,
       u.maildir AS home, CONCAT(u.maildir_format, ':', u.maildir, '/', CASE WHEN u.maildir_format = 'maildir' THEN 'Maildir' ELSE u.maildir_format END) AS location,
       f.source AS aliases, u.cc AS forwards
FROM mail_user u
LEFT JOIN mail_forwarding f ON f.destination = u.email AND f.type = 'alias' AND f.active = 'y'
ORDER BY u.login, f.source
