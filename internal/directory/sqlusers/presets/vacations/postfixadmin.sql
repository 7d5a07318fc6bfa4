-- Before 3.0 a response had no dates: a column that is missing in the inner
-- query is that of "older".
SELECT v.email AS address, v.subject, v.body AS text,
       (SELECT activefrom FROM vacation x WHERE x.email = v.email) AS since,
       (SELECT activeuntil FROM vacation x WHERE x.email = v.email) AS until
FROM vacation v CROSS JOIN (SELECT NULL AS activefrom, NULL AS activeuntil) older
WHERE v.active = '1' ORDER BY v.email
