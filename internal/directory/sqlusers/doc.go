// Package sqlusers reads who exists from an SQL database: MariaDB and MySQL,
// PostgreSQL, SQLite. A query names what it tells by its columns; presets hold
// the queries for well-known schemas.
//
// It knows databases and directory.Columns. It never writes: the session is
// read-only, and an SQLite file is opened so. It knows nothing of Dovecot or
// Courier, whose configurations are turned into a Server and queries elsewhere.
package sqlusers
