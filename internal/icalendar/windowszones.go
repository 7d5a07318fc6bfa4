package icalendar

// windowsZones maps Windows' names of zones, in lower case, to IANA's.
var windowsZones = map[string]string{}
