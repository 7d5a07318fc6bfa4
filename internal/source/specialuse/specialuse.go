package specialuse

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"mailhaul.org/mailhaul/internal/model"
)

// names by role, folded. Each was the default of a widespread mail program
// or server; a name that could mean two roles is left out.
var names = map[model.Role]string{
	model.RoleSent: `sent|sent items|sent messages|sent mail|sent-mail|gesendet|gesendete objekte|gesendete elemente|gesendete nachrichten|
		envoyés|éléments envoyés|messages envoyés|courrier envoyé|enviados|elementos enviados|mensajes enviados|correo enviado|itens enviados|
		posta inviata|inviati|inviata|messaggi inviati|verzonden|verzonden items|verzonden berichten|wysłane|elementy wysłane|skickat|skickade objekt|
		sendt|sendte elementer|sendt post|lähetetyt|lähetetyt viestit|odeslané|odeslaná pošta|odoslané|elküldött|elküldött elemek|trimise|
		отправленные|надіслані|gönderilmiş öğeler|gönderilenler|απεσταλμένα|送信済み|送信済みアイテム|已发送|已发送邮件|寄件備份|보낸 편지함|المرسل|البريد المرسل|العناصر المرسلة`,
	model.RoleDrafts: `draft|drafts|entwürfe|entwurf|brouillons|borradores|rascunhos|bozze|concepten|szkice|kopie robocze|wersje robocze|utkast|udkast|kladder|
		luonnokset|koncepty|rozepsané|piszkozatok|ciorne|черновики|чернетки|taslaklar|πρόχειρα|下書き|草稿|草稿箱|임시 보관함|المسودات`,
	model.RoleTrash: `trash|deleted|deleted items|deleted messages|bin|papierkorb|gelöscht|gelöschte objekte|gelöschte elemente|corbeille|éléments supprimés|
		papelera|elementos eliminados|lixeira|itens excluídos|itens eliminados|cestino|posta eliminata|prullenbak|verwijderde items|kosz|elementy usunięte|
		papperskorg|papperskorgen|borttagna objekt|papirkurv|slettet post|slettede elementer|roskakori|poistetut|koš|odstraněná pošta|kuka|törölt elemek|coș de gunoi|
		корзина|удаленные|удалённые|кошик|çöp kutusu|silinmiş öğeler|κάδος απορριμμάτων|ごみ箱|削除済みアイテム|已删除邮件|已删除|垃圾桶|휴지통|المهملات|سلة المهملات|العناصر المحذوفة`,
	model.RoleJunk: `junk|junk e-mail|junk email|junk mail|spam|bulk mail|spamverdacht|unerwünscht|unerwünschte werbung|werbung|courrier indésirable|indésirables|pourriel|
		correo no deseado|correo basura|lixo eletrônico|lixo eletrónico|posta indesiderata|ongewenste e-mail|ongewenst|wiadomości-śmieci|niechciane|skräppost|
		søppelpost|uønsket e-post|uønsket mail|roskaposti|nevyžádaná pošta|nevyžiadaná pošta|levélszemét|спам|нежелательная почта|небажана пошта|gereksiz e-posta|
		迷惑メール|垃圾邮件|垃圾郵件|스팸 메일함|البريد العشوائي|البريد غير الهام`,
	model.RoleArchive: `archive|archives|archiv|archivo|archivio|archief|archiwum|arkiv|arkisto|arquivo|arquivo morto|архив|архів|arşiv|アーカイブ|存档|封存`,
}

var fold = cases.Fold()

var roles = func() map[string]model.Role {
	m := map[string]model.Role{}
	for r, list := range names {
		for n := range strings.SplitSeq(list, "|") {
			m[fold.String(strings.TrimSpace(n))] = r
		}
	}
	return m
}()

// RoleOf returns the role that the name stands for. Only mailboxes at the top
// and directly below the inbox are judged: "Projects/Archive" is a project's.
func RoleOf(path []string) model.Role {
	switch {
	case len(path) == 1 && strings.EqualFold(path[0], "INBOX"):
		return model.RoleInbox
	case len(path) == 2 && strings.EqualFold(path[0], "INBOX"):
		path = path[1:]
	case len(path) != 1:
		return model.RoleNone
	}
	// Some programs decompose accents: "u" and a combining diaeresis.
	return roles[cases.Fold().String(norm.NFC.String(strings.TrimSpace(path[0])))]
}
