// Package sandbox is an embedded JMAP destination: what `mailhaul demo`,
// rehearsals and tests migrate into when no Stalwart is at hand.
//
// It answers the methods that mailhaul's own client uses the way Stalwart
// 0.16.18 answers them: same defaults, same limits, same errors, same
// encodings of ids, states and blob ids. The real server is the measure; the
// sandbox adds nothing that it lacks. It knows JMAP (RFC 8620, 8621, 9404,
// 9425, 9661, 9670) and the server's dialect. It must not know the engine,
// the sources or the client that talks to it, and it imports none of them.
//
// All state is in memory and guarded by one mutex; only message bodies can be
// kept in a folder. It is not a mail server: nothing is delivered or sent.
//
// What it leaves out, compared with the real server:
//
//   - IMAP, DAV, push, search (the asynchronous Email/query filters are
//     refused as unsupportedFilter), sharing, submission, calendars, contacts
//     and files.
//   - Email/get knows the properties of a listing, not bodies or headers.
//   - Sieve scripts are parsed and their `require`, commands and tests are
//     checked for being known and required; arguments are not type-checked.
//   - Passwords: see verifyHash for the schemes that are verified; scrypt and
//     DES-crypt hashes are accepted, as on the real server, but a login with
//     them fails here. Password strength is a coarse estimate in place of
//     zxcvbn.
//   - Logins are rate-limited by nothing, and nobody is banned.
//   - The registry knows x:Domain, x:Account, x:MailingList, x:Action and the singletons
//     x:Email, x:Jmap, x:DataRetention and x:SpamClassifier; validation errors
//     have the right type but not the server's wording.
//   - GET /api/account lists the permissions that the sandbox acts upon, not
//     all that the server has; the session lists the capabilities it serves.
//   - Mail is not delivered, so that lists, catch-alls and vacation responses
//     are kept and do nothing.
//   - Threads that meet later are merged at the end of the call rather than
//     by a background task.
package sandbox
