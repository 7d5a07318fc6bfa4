// Package variables puts values for the variables in Dovecot's settings:
// "%u", "%Ln", "%2.256Nu" of 2.3, "%{user | domain | lower}" of 2.4.
//
// It knows the two notations and what their modifiers and filters compute. It
// knows no variable: the caller has the values. What it does not understand is
// an error, never half a path or half a query.
package variables
