// Package sample makes an organisation that never existed: accounts, mailboxes,
// messages and Sieve scripts as one finds them on a mail server that has been
// running for many years, with its oddities.
//
// It serves the demo, the end-to-end tests and the benchmarks. Equal Options
// give equal octets, on every machine. Messages are made when they are asked
// for, each from its own seed, so that an organisation of any size needs
// little memory and any message can be made again alone.
//
// The first twelve accounts are written by hand, each with its own theme (a
// language, difficult names, difficult messages, dates, keywords, copies);
// further ones come from the seed. WriteMaildir lays all of it out on disk as
// Dovecot 2.3 does.
//
// Directory is the other half: who exists and who receives what, as passwd-files,
// an LDAP directory or a database of PostfixAdmin say, with a Postfix in front.
//
// CalendarObjects and Cards are calendar objects and cards as the usual clients
// write them, with their habits and faults; Events, Contacts and Files make
// any number of each from a seed. WriteVdir lays them out in folders for each
// account.
//
// The package knows formats of mail and of Maildir, calendars and cards. It must not know mailhaul's
// sources or its destination: what it writes is the measure by which they are
// tested, so it shares no code with them, not even for modified UTF-7.
package sample
