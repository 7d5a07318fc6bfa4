package dav

import "regexp"

// Servers may keep cards of version 4.0 and give them as 3.0 to whoever does not
// name a version (RFC 6352 §10.4.1). Cyrus 3.6 loses photos by that: it writes
// "LOGO:data:image/png". Which version a card has, a server does not tell.

// newerCards asks for the newest version that there is.
const newerCards = "text/vcard; version=4.0, text/vcard; version=3.0, */*;q=0.1"

var (
	saysThree = regexp.MustCompile(`(?mi)^VERSION:3\.0`)
	saysFour  = regexp.MustCompile(`(?mi)^VERSION:4\.0`)
	// newWords are those of version 4.0 (RFC 6350 §6).
	newWords = regexp.MustCompile(`(?mi)^(?:[A-Z0-9-]+\.)?(?:KIND|MEMBER|GENDER|ANNIVERSARY|LANG|RELATED|CLIENTPIDMAP|XML|CALADRURI|FBURL|CALURI)[;:]|;(?:PREF|ALTID|PID|MEDIATYPE)=|^(?:[A-Z0-9-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)(?:;[^:]*)?:data:`)
)

// converted reports that a card says 3.0 and speaks 4.0, once: it is to be asked
// for by itself.
func (st *Store) converted(id, text string) bool {
	if st.noNewer.Load() || !saysThree.MatchString(text) || !newWords.MatchString(text) {
		return false
	}
	if st.newer == nil {
		st.newer = map[string]bool{}
	}
	st.newer[id] = true
	return true
}

// seeVersion remembers that a server gives no other version.
func (st *Store) seeVersion(id string, text []byte) {
	if st.newer[id] && !saysFour.Match(text) {
		st.noNewer.Store(true)
	}
}
