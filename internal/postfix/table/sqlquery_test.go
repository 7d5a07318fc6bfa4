package table

import (
	"strings"
	"testing"
)

// Queries as administrators write them, and what lists them.
func TestDeriveListings(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT goto FROM alias WHERE address='%s' AND active = '1'":                                             "SELECT address, goto FROM alias WHERE address IS NOT NULL AND active = '1'",
		"select goto from alias where lower(address) = lower('%s') and active;":                                  "SELECT lower(address), goto from alias WHERE lower(address) IS NOT NULL AND active",
		"SELECT 1 FROM domain WHERE '%s' = domain":                                                               "SELECT domain, 1 FROM domain WHERE domain IS NOT NULL",
		"SELECT destination FROM v WHERE (source='@%d' OR 1=0) AND x":                                            "",
		"SELECT email FROM u WHERE CONCAT(local, '@', domain) = '%s'":                                            "SELECT CONCAT(local, '@', domain), email FROM u WHERE CONCAT(local, '@', domain) IS NOT NULL",
		"SELECT email FROM u WHERE local = '%u' AND domain = '%d' LIMIT 1":                                       "SELECT local, domain, email FROM u WHERE local IS NOT NULL AND domain IS NOT NULL",
		"SELECT CONCAT('%u@', target) FROM ad WHERE alias = '%d'":                                                "SELECT alias, CONCAT('@', target) FROM ad WHERE alias IS NOT NULL",
		"SELECT DISTINCT g FROM a,ad WHERE ad.d='%d' AND a.x = CONCAT('%u','@',ad.t)":                            "SELECT DISTINCT ad.d, a.x, ad.t, g FROM a, ad WHERE ad.d IS NOT NULL AND a.x LIKE CONCAT('%', '@', ad.t)",
		"SELECT a FROM b WHERE c IN ('%s') ORDER BY a":                                                           "SELECT c, a FROM b WHERE c IS NOT NULL ORDER BY a",
		"SELECT a FROM b WHERE ((c = '%s') AND (d = 1 OR e = 2))":                                                "SELECT c, a FROM b WHERE c IS NOT NULL AND (d = 1 OR e = 2)",
		"SELECT a FROM b WHERE c LIKE '%s'":                                                                      "SELECT c, a FROM b WHERE c IS NOT NULL",
		"SELECT a FROM b WHERE c LIKE '%%%s'":                                                                    "",
		"SELECT a FROM b WHERE c = '%s' OR d = '%s'":                                                             "",
		"SELECT a FROM b WHERE c = '%u'":                                                                         "",
		"SELECT a FROM b WHERE c = '%1'":                                                                         "",
		"SELECT a FROM b JOIN x ON x.y = '%s' WHERE x.c = '%s'":                                                  "",
		"SELECT count(*) FROM b WHERE c = '%s' GROUP BY d":                                                       "",
		"SELECT a FROM b WHERE c = (SELECT d FROM e WHERE f = '%s')":                                             "",
		"SELECT a FROM b WHERE NOT c = '%s'":                                                                     "",
		"SELECT a FROM b WHERE c != '%s'":                                                                        "",
		"SELECT '%s' FROM b WHERE c = '%s'":                                                                      "",
		"SELECT a FROM b WHERE c = '%s' UNION SELECT d FROM e WHERE f = '@%d'":                                   "SELECT c, a FROM b WHERE c IS NOT NULL; SELECT f, d FROM e WHERE f IS NOT NULL",
		"SELECT a FROM b WHERE c = '%s' -- and more":                                                             "",
		"DELETE FROM b WHERE c = '%s'":                                                                           "",
		"SELECT forwarding FROM f,d WHERE f.address='%s' AND f.domain='%d' AND f.domain=d.domain AND d.active=1": "SELECT f.address, f.domain, forwarding FROM f, d WHERE f.address IS NOT NULL AND f.domain IS NOT NULL AND f.domain = d.domain AND d.active = 1",
	} {
		got := ""
		if listings, ok := deriveListings(query, "mysql"); ok {
			var all []string
			for _, l := range listings {
				all = append(all, l.query)
			}
			got = strings.Join(all, "; ")
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

func FuzzParseCDB(f *testing.F) {
	f.Add(make([]byte, 2048))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseCDB(b)
		size := 0
		for _, e := range entries {
			size += len(e.Key) + len(e.Value)
		}
		if err == nil && size > len(b) {
			t.Errorf("%d octets of %d", size, len(b))
		}
	})
}

func FuzzDeriveListings(f *testing.F) {
	f.Add("SELECT goto FROM alias WHERE address='%s' AND active = '1'")
	f.Add("SELECT CONCAT('%u@', t) FROM a WHERE lower(x) = '%d' || '' UNION ALL SELECT (1) FROM b WHERE c IN ('%s') LIMIT 1")
	f.Fuzz(func(t *testing.T, query string) {
		listings, ok := deriveListings(query, "pgsql")
		for _, l := range listings {
			if ok && !strings.HasPrefix(l.query, "SELECT ") {
				t.Errorf("%q became %q", query, l.query)
			}
			for _, parts := range l.keys {
				var b binding
				var values []string
				for _, p := range parts {
					if p.expression {
						values = append(values, "v")
					}
				}
				b.bind(parts, "anna@acme.test", values)
				b.key()
			}
		}
	})
}
