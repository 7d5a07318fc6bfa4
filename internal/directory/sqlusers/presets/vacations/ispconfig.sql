SELECT email AS address, autoresponder_subject AS subject, autoresponder_text AS text, autoresponder_start_date AS since, autoresponder_end_date AS until
FROM mail_user WHERE autoresponder = 'y' ORDER BY email
