// Package stalwart is the destination of mailhaul: Stalwart 0.16 over JMAP.
//
// It knows the server's dialect: how ids and blob ids are made, which limits
// are enforced where, which login a write needs, what the management objects
// (x:Domain, x:Account) look like. It implements destination.Destination,
// destination.Checker and destination.Provisioner, and must not know
// sources, the ledger or the engine.
//
// One login, the migrator, addresses every account by its id, which takes
// the permission impersonate. Only subscriptions are written as the user, by
// the login "user%migrator", because the server keeps them per login.
package stalwart
