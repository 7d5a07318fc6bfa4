-- Types alias, forward, catchall ("@domain") and aliasdomain ("@old" to "@new").
SELECT source AS address, destination AS target FROM mail_forwarding WHERE active = 'y' ORDER BY source
