// Package confined opens files of an account's own directories and nothing
// else: users can plant links and pipes there, and mailhaul often runs as
// root.
package confined
