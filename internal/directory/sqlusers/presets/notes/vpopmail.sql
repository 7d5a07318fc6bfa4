SELECT 'no-delivery' AS code, CONCAT(pw_name, '@', pw_domain) AS subject, 'receives no mail at the source: vpopmail refuses it' AS text,
       'leave it out, or let it receive mail' AS remedy
FROM vpopmail WHERE (pw_gid & 16) <> 0
