SELECT domain FROM mail_domain WHERE active = 'y' ORDER BY domain
