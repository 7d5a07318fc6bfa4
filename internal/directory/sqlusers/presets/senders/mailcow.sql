-- "*" is everybody.
SELECT CASE WHEN send_as = '*' THEN '@*' ELSE send_as END AS address, logged_in_as AS login FROM sender_acl ORDER BY send_as, logged_in_as
