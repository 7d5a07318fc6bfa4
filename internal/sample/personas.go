package sample

import (
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// persona is an account before it is planned.
type persona struct {
	local, name string
	lang        *language
	weight      int // share of the ordinary messages
	boxes       []box
	scripts     []model.Script
	missing     []string // subscriptions without a mailbox
	quota       int64
	disabled    bool
	password    password // of invented ones
}

// box is a mailbox before it is planned. Levels of its path are separated by
// dots, as in Maildir++: no name on disk can hold one.
type box struct {
	path         string
	role         model.Role
	weight       int // share of the account's ordinary messages
	min          int // ordinary messages at least
	keywords     []string
	unsubscribed bool
	odd          bool // only with Options.Oddities
	foreign      bool // file names of another delivery agent, without sizes
}

func roles(sent, drafts, trash, junk string) []box {
	return []box{
		{path: sent, role: model.RoleSent, weight: 18, min: 2},
		{path: drafts, role: model.RoleDrafts, weight: 1, min: 1},
		{path: trash, role: model.RoleTrash, weight: 4, min: 1},
		{path: junk, role: model.RoleJunk, weight: 3, min: 1, keywords: []string{"Junk", "$Junk", "NonJunk"}},
	}
}

func inbox(keywords ...string) []box {
	return []box{{path: "INBOX", role: model.RoleInbox, weight: 40, min: 3, keywords: keywords}}
}

func boxes(lists ...[]box) (all []box) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// personas in the order in which they are made: with few accounts, the most
// difficult ones are there.
var personas = []persona{
	{local: "anna", name: "Anna Köhler", lang: german, weight: 20, quota: 2 << 30, missing: []string{"Gelöschtes Projekt"},
		scripts: []model.Script{sortScript, holidayScript, brokenScript},
		boxes: boxes(inbox("$Forwarded", "$MDNSent", "$Label1", "NonJunk", "Wichtig", "Rueckruf"),
			roles("Gesendete Objekte", "Entwürfe", "Papierkorb", "Unerwünscht"),
			[]box{
				{path: "Archiv", role: model.RoleArchive, weight: 8, min: 1},
				{path: "Archiv.Projekte.Größe & Maß.2019", weight: 6, min: 2, keywords: []string{"wichtig", "$label1"}},
				{path: "Rechnungen", weight: 6, min: 1},
				{path: "Verteiler", weight: 10, min: 2, unsubscribed: true},
				{path: "Leer"},
			})},
	{local: "otto", name: "Otto Holm", lang: english, weight: 6, scripts: []model.Script{pipeScript, notifyScript, emptyScript},
		boxes: boxes(inbox("$Forwarded"), roles("Sent", "Drafts", "Trash", "Junk"), []box{
			{path: "Old server", odd: true, min: 1, foreign: true},
			{path: "Sent Items", odd: true, min: 1},
			{path: "Deleted Items", odd: true, min: 1},
		})},
	{local: "greta", name: "Greta Groß", lang: german, weight: 6, boxes: boxes(inbox(), roles("Gesendet", "Entwurf", "Gelöscht", "Spam"), difficultNames())},
	{local: "benoit", name: "Benoît Lefèvre", lang: french, weight: 12, scripts: []model.Script{frenchVacation}, boxes: boxes(
		inbox("$Forwarded", "a-traiter", "NonJunk"),
		roles("Éléments envoyés", "Brouillons", "Corbeille", "Courrier indésirable"),
		[]box{{path: "Clients.Été 2024.Orléans", weight: 8, min: 1}, {path: "Modèles", weight: 1, min: 1, unsubscribed: true}})},
	{local: "chiyo", name: "田中 千代", lang: japanese, weight: 10, boxes: boxes(inbox("$Label4"), roles("送信済み", "下書き", "ごみ箱", "迷惑メール"),
		[]box{{path: "プロジェクト.東京.会議", weight: 8, min: 1}, {path: "見積り", weight: 4, min: 1}})},
	{local: "julia", name: "Юлия Жукова", lang: russian, weight: 6, missing: []string{"Отменено.Старое"}, boxes: boxes(inbox("$Forwarded"),
		roles("Отправленные", "Черновики", "Корзина", "Спам"),
		[]box{{path: "Копии", weight: 3, min: 1}, {path: "Копии.Ещё раз", weight: 3, min: 1, unsubscribed: true}})},
	{local: "ivan", name: "Иван Соколов", lang: russian, weight: 6, boxes: boxes(inbox(), roles("Sent Messages", "Drafts", "Deleted Messages", "Junk E-mail"),
		[]box{{path: "Dates", odd: true}})},
	{local: "heidi", name: "Heidi Schäfer", lang: german, weight: 8, scripts: []model.Script{crlfScript}, boxes: boxes(
		inbox("$Forwarded", "$MDNSent", "NonJunk", "$NotJunk", "Forwarded"), roles("Gesendete Elemente", "Entwürfe", "Papierkorb", "Spamverdacht"),
		[]box{{path: "Newsletter", weight: 10, min: 2}}, keywordFlood())},
	{local: "fatima", name: "فاطمة الخطيب", lang: arabic, weight: 8, boxes: boxes(inbox(), roles("المرسل", "مسودات", "المهملات", "مزعج"),
		[]box{{path: "مشاريع.القاهرة", weight: 6, min: 1}})},
	{local: "dimitris", name: "Δημήτρης Παπαδόπουλος", lang: greek, weight: 8, disabled: true, boxes: boxes(inbox(), roles("Απεσταλμένα", "Πρόχειρα", "Κάδος απορριμμάτων", "Ανεπιθύμητα"),
		[]box{{path: "INBOX.Λογαριασμοί", weight: 6, min: 1}})},
	{local: "leon", name: "Leon Novak", lang: english, boxes: []box{{path: "INBOX", role: model.RoleInbox}}},
	{local: "maria", name: "Maria Brandt", lang: english, weight: 10, quota: 5 << 30, boxes: boxes(inbox("$Forwarded", "$Label2"), roles("Sent", "Drafts", "Trash", "Junk"),
		[]box{{path: "Lists.kernel", weight: 20, min: 1}, {path: "Lists.Announce", weight: 4, min: 1}})},
}

// difficultNames are names of mailboxes that one side or the other has
// trouble with, as far as Maildir++ and Dovecot can hold them at all: neither
// takes "/" in a name, and dots are levels.
func difficultNames() []box {
	names := []string{
		"Projekte", "projekte", "PROJEKTE", // equal but for case
		"Caf\u00e9", "Cafe\u0301", // composed and decomposed
		"Release 1.2.3",                        // levels that hold nothing
		"R&D", `Q "quoted" & \back`, "100 % *", // needs care in IMAP
		" blanks ",
		strings.Repeat("長い名前", 22) + "です",             // 270 octets of UTF-8, 243 in modified UTF-7
		strings.Repeat("a very long name ", 14)[:237], // fits everywhere, barely
		"Tief.1.2.3.4.5.6.7.8.9.10.11",                // 12 levels
		"Entwürfe.Entwürfe", "INBOX.Kinder.Schule",    // a role's name further down; below the inbox
		"😀 Emoji \U0001F3F4\U000E0067\U000E0062\U000E007F", // outside the basic plane
	}
	out := make([]box, len(names))
	for i, n := range names {
		out[i] = box{path: n, odd: true, min: 1, weight: 1, unsubscribed: i%4 == 3}
	}
	return out
}

// oddKeywords can all stand in an IMAP flag list (RFC 9051 §9, flag-keyword:
// an atom) and yet surprise a program.
var oddKeywords = []string{"$label1", "to-do/heute", "a=b", "+plus", "#hash", "@home", "50!", "~later", "under_score", "x.y.z", "<tag>", "Kunde&Co",
	"`tick`", "semi;colon", "$", "$$", strings.Repeat("k", 48)}

// keywordFlood is more keywords than JMAP destinations show (99), in
// mailboxes that each hold as many as file names can (26).
func keywordFlood() []box {
	var out []box
	for i := range 5 {
		b := box{path: fmt.Sprintf("Keywords %d", i+1), odd: true, min: 5, weight: 1}
		if i == 0 {
			b.keywords = append(b.keywords, oddKeywords...)
		}
		for n := len(b.keywords); n < 26; n++ {
			b.keywords = append(b.keywords, fmt.Sprintf("project-%d-%02d", i+1, n))
		}
		out = append(out, b)
	}
	return out
}

// folderNames of invented accounts, by language.
var folderNames = map[string][]string{
	"de": {"Gesendete Objekte", "Entwürfe", "Papierkorb", "Spam", "Kunden", "Verträge", "Büro"},
	"en": {"Sent", "Drafts", "Trash", "Junk", "Customers", "Contracts", "Office"},
	"fr": {"Envoyés", "Brouillons", "Corbeille", "Indésirables", "Clients", "Contrats", "Été"},
	"ja": {"送信済み", "下書き", "ごみ箱", "迷惑メール", "顧客", "契約", "会社"},
	"el": {"Απεσταλμένα", "Πρόχειρα", "Κάδος απορριμμάτων", "Spam", "Πελάτες", "Συμβόλαια", "Γραφείο"},
	"ar": {"Sent", "Drafts", "Trash", "Junk", "عملاء", "عقود", "مكتب"},
	"ru": {"Отправленные", "Черновики", "Корзина", "Спам", "Клиенты", "Договоры", "Офис"},
}

// invent makes the persona of an account beyond the written ones.
func (o *Organisation) invent(number int) persona {
	r := o.random("persona", number)
	lang := languages[r.IntN(len(languages))]
	given, givenASCII, _ := strings.Cut(lang.given[r.IntN(len(lang.given))], "|")
	family, familyASCII, _ := strings.Cut(lang.family[r.IntN(len(lang.family))], "|")
	local := fmt.Sprintf("%s.%s%d", givenASCII, familyASCII, number)
	f := folderNames[lang.tag]
	all := boxes(inbox("$Forwarded", "NonJunk"), roles(f[0], f[1], f[2], f[3]))
	for _, name := range f[4:] {
		for year := 2020 + r.IntN(5); year < 2025; year++ {
			all = append(all, box{path: fmt.Sprintf("%s.%d", name, year), weight: 1 + r.IntN(8)})
		}
	}
	return persona{local: local, name: given + " " + family, lang: lang, weight: 4 + r.IntN(16), boxes: all, password: o.inventedPassword(number, local)}
}
