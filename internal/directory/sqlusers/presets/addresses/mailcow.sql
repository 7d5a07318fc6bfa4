-- goto may name null@localhost, spam@localhost and ham@localhost: thrown away,
-- or learnt by the filter.
SELECT address, goto AS target FROM alias WHERE active = 1 ORDER BY address
