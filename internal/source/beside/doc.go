// Package beside puts two sources of the same accounts together: one with
// their mail, and one with their calendars, contacts and files.
//
// It knows neither. An account whose calendars cannot be opened has its mail
// still: the fault is that of its calendars.
package beside
