// Package courtesy keeps the bounds within which a source is read: the hours of
// the day, how long it may take to answer, octets per second. It is somebody's
// production server, whatever command reads it.
//
// It knows sources by their interfaces and no server; how many connections
// there are is the sources' own.
package courtesy
