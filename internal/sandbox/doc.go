// Package sandbox is an embedded JMAP destination: what `mailhaul demo`,
// rehearsals and tests migrate into when no Stalwart is at hand.
//
// It answers the methods that mailhaul's own client uses the way Stalwart
// 0.16.18 answers them: same defaults, same limits, same errors, same
// encodings of ids, states and blob ids. The real server is the measure; the
// sandbox adds nothing that it lacks, and TestAnswersLikeStalwart plays one list
// of requests on both. It knows JMAP (RFC 8620, 8621, 9404, 9425, 9661, 9670;
// calendars, contacts and files as their drafts have them), WebDAV, CalDAV and
// CardDAV (RFC 4918, 4791, 6352, 6578), and the server's dialect of them. It must
// not know the engine, the sources or the client that talks to it, and it imports
// none of them.
//
// Calendars and address books are a home each (home.go), of a kind (homekind.go),
// that both protocols look at: collectionset.go and objectset.go over JMAP, the
// files dav*.go over DAV. What JMAP's form of an event loses (jsevent.go) and what
// that of a card changes (jscard.go) is what the server loses and changes.
//
// All state is in memory and guarded by one mutex; only message bodies can be
// kept in a folder. It is not a mail server: nothing is delivered or sent.
//
// What it leaves out, compared with the real server:
//
//   - IMAP, push, search (the asynchronous Email/query filters are refused as
//     unsupportedFilter), submission. Readers of what is shared see that it is,
//     and nothing of what is inside.
//   - Calendars and contacts: nobody is invited to anything and no alarm is sent;
//     the permissions that say so are there, so that a client minds them. An event
//     or card is in one collection. Over JMAP it is created and destroyed,
//     and its get tells UID and place; DAV replaces it and gives its text.
//     Events in JMAP's form have JSCalendar's words for UID, title, class, times and
//     series, and everything else as properties of iCalendar; cards have words for
//     UID and full name. CalDAV knows no ranges of time, no free/busy, no locks.
//   - Files are for JMAP; WebDAV gives their contents.
//   - Email/get knows the properties of a listing, not bodies or headers.
//   - Sieve scripts are parsed and their `require`, commands and tests are
//     checked for being known and required; arguments are not type-checked.
//   - Passwords: see verifyHash for the schemes that are verified; scrypt and
//     DES-crypt hashes are accepted, as on the real server, but a login with
//     them fails here. Password strength is a coarse estimate in place of
//     zxcvbn.
//   - Logins are rate-limited by nothing, and nobody is banned.
//   - The registry knows x:Domain, x:Account, x:MailingList, x:Action, x:Task and the singletons
//     x:Email, x:Jmap, x:DataRetention and x:SpamClassifier; validation errors
//     have the right type but not the server's wording.
//   - GET /api/account lists the permissions that the sandbox acts upon, not
//     all that the server has; the session lists the capabilities it serves.
//   - Mail is not delivered, so that lists, catch-alls and vacation responses
//     are kept and do nothing.
//   - Threads that meet later are merged at the end of the call rather than
//     by a background task.
package sandbox
