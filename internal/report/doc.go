// Package report renders outcomes for people and programs: aligned tables for
// a terminal, one JSON document, CSV for a spreadsheet, and self-contained
// HTML pages that print well. It decides nothing and reads nothing; everything
// it shows is handed to it, and everything in its pages is escaped.
package report
