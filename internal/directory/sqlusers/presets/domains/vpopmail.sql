SELECT DISTINCT pw_domain AS domain FROM vpopmail ORDER BY pw_domain
