package sample

import "time"

// language is what mail in one language is made of.
type language struct {
	tag      string
	zone     *time.Location // a fixed offset: no database of zones is needed
	given    []string       // with an ASCII spelling behind a '|'
	family   []string
	subjects []string
	text     []string // sentences
	reply    string   // prefix of answers
	hello    string
	bye      string
	charset  string // an old one that still occurs, or empty
}

func zone(name string, hours int) *time.Location { return time.FixedZone(name, hours*3600) }

var german = &language{
	tag: "de", zone: zone("CET", 1), reply: "AW: ", hello: "Guten Tag", bye: "Mit freundlichen Grüßen", charset: "iso-8859-1",
	given:  []string{"Jürgen|juergen", "Käthe|kaethe", "Anna|anna", "Björn|bjoern", "Ute|ute", "Jörg|joerg", "Sören|soeren", "Heike|heike"},
	family: []string{"Müller|mueller", "Groß|gross", "Schäfer|schaefer", "Köhler|koehler", "Weiß|weiss", "Böhm|boehm", "Öztürk|oeztuerk", "Lang|lang"},
	subjects: []string{"Angebot für die Lüftungsanlage", "Rechnung über 1.480,00 €", "Besprechung am Dienstag", "Rückfrage zum Auftrag",
		"Urlaubsübergabe", "Prüfbericht und Maße", "Schlüssel für das Büro im 3. Stock", "Änderung der Lieferanschrift"},
	text: []string{"Vielen Dank für Ihre schnelle Rückmeldung.", "Die Maße habe ich noch einmal geprüft, es fehlen 12 mm an der Südseite.",
		"Können wir die Übergabe auf nächste Woche verschieben?", "Anbei erhalten Sie die überarbeiteten Unterlagen.",
		"Für Rückfragen stehe ich Ihnen gerne zur Verfügung.", "Der Kunde möchte das Angebot bis Freitag, weil der Ausschuss dann tagt.",
		"Größere Mengen können wir erst ab März liefern.", "Bitte geben Sie die Rechnung an die Buchhaltung weiter."},
}

var french = &language{
	tag: "fr", zone: zone("CET", 1), reply: "RE: ", hello: "Bonjour", bye: "Bien cordialement", charset: "iso-8859-15",
	given:  []string{"Benoît|benoit", "Zoé|zoe", "Éloïse|eloise", "François|francois", "Noël|noel", "Chloé|chloe", "Jérôme|jerome"},
	family: []string{"Lefèvre|lefevre", "Bézier|bezier", "Gonçalves|goncalves", "Lebœuf|leboeuf", "Château|chateau", "Muñoz|munoz"},
	subjects: []string{"Compte rendu de la réunion", "Devis n° 2318 à valider", "Déplacement à Orléans", "Où en est la commande ?",
		"Congés d'été", "Mise à jour du tarif", "Relevé des heures", "Invitation : pot de départ"},
	text: []string{"Merci de votre retour rapide.", "Je vous envoie ci-joint le devis corrigé.", "La réunion est déplacée à jeudi, même salle.",
		"Peux-tu relire le compte rendu avant ce soir ?", "Le client n'a pas encore reçu les pièces commandées en août.",
		"Nous avons réglé la facture hier, à hauteur de 740 €.", "N'hésitez pas à m'appeler si besoin.", "L'équipe a déjà prévu le contrôle annuel."},
}

var japanese = &language{
	tag: "ja", zone: zone("JST", 9), reply: "Re: ", hello: "お世話になっております。", bye: "よろしくお願いいたします。", charset: "iso-2022-jp",
	given:    []string{"千代|chiyo", "健太|kenta", "さくら|sakura", "大輔|daisuke", "美咲|misaki", "誠|makoto"},
	family:   []string{"田中|tanaka", "佐藤|sato", "鈴木|suzuki", "髙橋|takahashi", "渡辺|watanabe", "小林|kobayashi"},
	subjects: []string{"会議の議事録", "お見積りの件", "納期のご連絡", "出張の日程について", "請求書を送付します", "来週の打ち合わせ", "ご確認のお願い"},
	text: []string{"先日はお打ち合わせのお時間をいただきありがとうございました。", "資料を添付いたしますのでご確認ください。", "納期は来週の金曜日を予定しております。",
		"ご不明な点がございましたらお知らせください。", "見積書の金額を修正いたしました。", "東京の倉庫に在庫が残っています。", "会議は三時から第二会議室で行います。"},
}

var arabic = &language{
	tag: "ar", zone: zone("EET", 2), reply: "رد: ", hello: "السلام عليكم", bye: "مع أطيب التحيات", charset: "windows-1256",
	given:    []string{"فاطمة|fatima", "أحمد|ahmad", "ليلى|layla", "يوسف|yusuf", "مريم|maryam", "عمر|umar"},
	family:   []string{"الخطيب|alkhatib", "حداد|haddad", "المصري|almasri", "النجار|alnajjar", "سليمان|sulayman"},
	subjects: []string{"تقرير الاجتماع", "عرض السعر", "موعد التسليم", "فاتورة الشهر", "طلب إجازة", "تأكيد الحجز"},
	text: []string{"شكرا على ردكم السريع.", "تجدون في المرفق النسخة المعدلة من العقد.", "هل يمكن تأجيل الموعد إلى يوم الأحد؟",
		"وصلت الشحنة صباح اليوم كاملة.", "نرجو إرسال الفاتورة قبل نهاية الشهر.", "الاجتماع القادم في القاهرة يوم الثلاثاء."},
}

var greek = &language{
	tag: "el", zone: zone("EET", 2), reply: "ΑΠ: ", hello: "Καλημέρα σας", bye: "Με εκτίμηση", charset: "iso-8859-7",
	given:    []string{"Δημήτρης|dimitris", "Ελένη|eleni", "Γιώργος|giorgos", "Σοφία|sofia", "Νίκος|nikos"},
	family:   []string{"Παπαδόπουλος|papadopoulos", "Οικονόμου|oikonomou", "Γεωργίου|georgiou", "Αγγέλου|angelou"},
	subjects: []string{"Πρακτικά της συνάντησης", "Προσφορά για την ανακαίνιση", "Τιμολόγιο Μαρτίου", "Αλλαγή ώρας", "Άδεια διακοπών"},
	text: []string{"Σας ευχαριστώ για την άμεση απάντηση.", "Επισυνάπτω το διορθωμένο σχέδιο.", "Η παράδοση θα γίνει την Παρασκευή το πρωί.",
		"Μπορούμε να μιλήσουμε αύριο στις δέκα;", "Ο λογαριασμός έχει ήδη πληρωθεί.", "Το συνεργείο χρειάζεται τα κλειδιά της αποθήκης."},
}

var english = &language{
	tag: "en", zone: zone("GMT", 0), reply: "Re: ", hello: "Hello", bye: "Best regards", charset: "us-ascii",
	given:  []string{"Maria|maria", "Leon|leon", "Otto|otto", "Grace|grace", "Walter|walter", "Ingrid|ingrid", "Owen|owen"},
	family: []string{"Brandt|brandt", "Fisher|fisher", "Holm|holm", "Keller|keller", "Novak|novak", "Reed|reed"},
	subjects: []string{"Minutes of the meeting", "Quarterly figures", "Spare parts order 4711", "Server room access", "Draft contract, second version",
		"Parking during the fair", "Invoice overdue", "Photos of the site visit"},
	text: []string{"Thank you for getting back so quickly.", "I have attached the corrected drawings.", "Could we move the handover to next week?",
		"The customer still waits for the parts ordered in August.", "Please forward this to accounting.", "We found the missing crate in hall 7.",
		"The meeting is moved to Thursday, same room.", "From now on the side entrance is locked at six."},
}

var russian = &language{
	tag: "ru", zone: zone("MSK", 3), reply: "Re: ", hello: "Добрый день", bye: "С уважением", charset: "koi8-r",
	given:    []string{"Иван|ivan", "Ольга|olga", "Сергей|sergei", "Юлия|yulia"},
	family:   []string{"Соколов|sokolov", "Кузнецова|kuznetsova", "Жуков|zhukov", "Щербаков|shcherbakov"},
	subjects: []string{"Протокол совещания", "Счёт за апрель", "Изменение графика поставки", "Договор на подпись"},
	text: []string{"Спасибо за быстрый ответ.", "Во вложении исправленный договор.", "Поставка переносится на понедельник.",
		"Просим подтвердить получение счёта.", "Совещание состоится в три часа."},
}

// languages are those of invented accounts.
var languages = []*language{german, english, french, japanese, greek, arabic, russian}
