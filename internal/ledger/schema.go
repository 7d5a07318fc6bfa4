package ledger

// schema is applied to a new ledger. Rows of items are kept small: 16 octets
// of GUID, 32 of hash, and integers; keyword sets are stored once and
// referred to by number. The partial indexes hold only rows with work left,
// so a finished mailbox costs nothing to skip.
const schema = `
CREATE TABLE meta (
	version INTEGER NOT NULL
);
INSERT INTO meta VALUES (1);

CREATE TABLE accounts (
	id          INTEGER PRIMARY KEY,
	login       TEXT NOT NULL UNIQUE,
	address     TEXT NOT NULL DEFAULT '',
	remote      TEXT NOT NULL DEFAULT '',
	settle      TEXT NOT NULL DEFAULT '', -- email state before the unconfirmed import, if any
	state       TEXT NOT NULL DEFAULT 'new',
	error       TEXT NOT NULL DEFAULT '',
	last_run    INTEGER NOT NULL DEFAULT 0,
	last_verify INTEGER NOT NULL DEFAULT 0,
	differences INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE collections (
	id          INTEGER PRIMARY KEY,
	account     INTEGER NOT NULL,
	kind        INTEGER NOT NULL,
	source_id   TEXT NOT NULL,
	uidvalidity INTEGER NOT NULL,
	native      TEXT NOT NULL,
	path        TEXT NOT NULL,             -- JSON array, as at the source
	target      TEXT NOT NULL DEFAULT '',  -- ID at the destination
	target_path TEXT NOT NULL DEFAULT '[]',
	created     INTEGER NOT NULL DEFAULT 0, -- made by us
	subscribed  INTEGER NOT NULL DEFAULT -1, -- last written; -1 never
	fingerprint TEXT NOT NULL DEFAULT '',
	cursor      TEXT NOT NULL DEFAULT '',
	retired     INTEGER NOT NULL DEFAULT 0, -- gone at the source, or UIDVALIDITY changed
	UNIQUE (account, kind, source_id, uidvalidity)
);

CREATE TABLE keywords (
	id    INTEGER PRIMARY KEY,
	words TEXT NOT NULL UNIQUE -- sorted, separated by U+0020
);
INSERT INTO keywords VALUES (0, '');

CREATE TABLE account_keywords (
	account INTEGER NOT NULL,
	word    TEXT NOT NULL, -- as at the destination
	PRIMARY KEY (account, word)
) WITHOUT ROWID;

CREATE TABLE items (
	collection    INTEGER NOT NULL,
	uid           INTEGER NOT NULL,
	state         INTEGER NOT NULL,
	guid          BLOB,             -- 16 octets
	flags         INTEGER NOT NULL, -- as the source shows them now
	keywords      INTEGER NOT NULL,
	sent_flags    INTEGER NOT NULL DEFAULT 0, -- last common state
	sent_keywords INTEGER NOT NULL DEFAULT 0,
	received      INTEGER NOT NULL,
	size          INTEGER NOT NULL,
	hash          BLOB,             -- BLAKE3-256 of what the destination stores
	remote        TEXT,
	PRIMARY KEY (collection, uid)
) WITHOUT ROWID;
CREATE INDEX items_work ON items (collection, state, uid) WHERE state <> 3;
CREATE INDEX items_vanished_guid ON items (guid) WHERE state = 5;
CREATE INDEX items_vanished_hash ON items (hash) WHERE state = 5;

CREATE TABLE effects (
	account       INTEGER NOT NULL,
	collection    INTEGER NOT NULL,
	uid           INTEGER NOT NULL,
	to_collection INTEGER NOT NULL, -- 0: a deletion
	to_uid        INTEGER NOT NULL,
	PRIMARY KEY (collection, uid)
) WITHOUT ROWID;

CREATE TABLE notes (
	account    INTEGER NOT NULL,
	collection INTEGER NOT NULL, -- 0: the account
	item       TEXT NOT NULL,    -- UID in decimal, or a name
	code       TEXT NOT NULL,
	text       TEXT NOT NULL,
	PRIMARY KEY (account, collection, item, code)
) WITHOUT ROWID;

CREATE TABLE scripts (
	account INTEGER NOT NULL,
	name    TEXT NOT NULL,
	hash    BLOB NOT NULL,
	written BLOB NOT NULL,
	active  INTEGER NOT NULL,
	PRIMARY KEY (account, name)
) WITHOUT ROWID;
` + sharesTable + provisionedTable + objectTables

// sharesTable came later; Open adds it to ledgers that lack it.
const sharesTable = `
CREATE TABLE IF NOT EXISTS shares (
	collection INTEGER NOT NULL,
	grantee    TEXT NOT NULL,    -- account ID at the destination
	rights     INTEGER NOT NULL, -- destination.Rights last written
	PRIMARY KEY (collection, grantee)
) WITHOUT ROWID;
`

// State is where an item stands. The numbers are stored; never renumber.
type State uint8

const (
	Pending  State = 1 // listed, not yet moved
	Intended State = 2 // an import was about to be sent; its outcome is unknown
	Moved    State = 3 // at the destination, nothing left to do
	Changed  State = 4 // at the destination; the source's flags changed since
	Vanished State = 5 // at the destination; gone from its mailbox at the source
	Refused  State = 6 // the destination or the source refused it; see its note
	Excluded State = 7 // left out by rule
	Detached State = 8 // was moved; its user deleted it at the destination
)

func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Intended:
		return "intended"
	case Moved:
		return "moved"
	case Changed:
		return "changed"
	case Vanished:
		return "vanished"
	case Refused:
		return "refused"
	case Excluded:
		return "excluded"
	case Detached:
		return "detached"
	}
	return "unknown"
}
