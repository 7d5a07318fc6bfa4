package report

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/memory"
)

var pictures = flag.String("pictures", "", "keep what the browser shows in this `folder`")

// The page is looked at in a real browser: wide and narrow, light and dark, and
// on paper.
func TestAssessmentInBrowser(t *testing.T) {
	t.Parallel()
	b := lab.StartBrowser(t)
	a := organisation(t)
	var page bytes.Buffer
	if err := AssessHTML(&page, a); err != nil {
		t.Fatal(err)
	}
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, "assess.html"), page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	bright := map[bool]float64{}
	for _, dark := range []bool{false, true} {
		img := b.Picture(page.Bytes(), lab.Look{Width: 1280, Height: 6000, Dark: dark})
		for i := range 4 {
			part := img.(interface {
				SubImage(image.Rectangle) image.Image
			}).SubImage(image.Rect(0, i*1500, 1280, (i+1)*1500))
			keep(t, fmt.Sprintf("wide-dark-%v-%d", dark, i), part)
		}
		mean, colors := look(img)
		bright[dark] = mean
		if colors < 50 {
			t.Errorf("dark %v: %d colours: nothing to be seen", dark, colors)
		}
	}
	if bright[false] < 0.8 || bright[true] > 0.3 {
		t.Errorf("brightness: %.2f light, %.2f dark", bright[false], bright[true])
	}
	for _, width := range []int{1280, 800, 400} {
		if width == 400 {
			keep(t, "narrow", b.Picture(page.Bytes(), lab.Look{Width: width, Height: 3000}))
		}
		for _, problem := range measure(b, page.Bytes(), width) {
			t.Errorf("%d pixels wide: %s", width, problem)
		}
	}
	pdf := b.PDF(page.Bytes())
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, "assess.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages < 3 || pages > 40 {
		t.Errorf("printed on %d pages, %d octets", pages, len(pdf))
	}
}

// measure lets the browser find what stands out of the page, or has no size.
func measure(b *lab.Browser, page []byte, width int) (problems []string) {
	const script = `<script>
const out = [], root = document.documentElement;
if (root.scrollWidth > root.clientWidth) {
  out.push("the page is " + root.scrollWidth + " wide");
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect();
    if (r.right > root.clientWidth + 1 && !e.closest("table") && out.length < 5) out.push(e.tagName + " " + e.className + " stands out: " + e.textContent.slice(0, 40));
  }
}
for (const e of document.querySelectorAll("section h2, svg, table"))
  if (e.getBoundingClientRect().height < 5) out.push(e.tagName + " cannot be seen: " + e.textContent.slice(0, 40));
for (const e of document.querySelectorAll("figure svg text, .graphs svg text")) {
  const r = e.getBoundingClientRect(), box = e.ownerSVGElement.getBoundingClientRect();
  if (r.left < box.left - 2 || r.right > box.right + 2) out.push("text is cut off: " + e.textContent);
}
document.body.innerHTML = "<pre>" + out.map(s => "PROBLEM " + s.replace(/\s+/g, " ")).join("\n") + "\nMEASURED</pre>";
</script></body>`
	dom := b.DOM(bytes.Replace(page, []byte("</body>"), []byte(script), 1), lab.Look{Width: width, Height: 900})
	if !strings.Contains(dom, "MEASURED") {
		return []string{"the browser did not come to the end of the page"}
	}
	for line := range strings.Lines(dom) {
		if _, p, ok := strings.Cut(line, "PROBLEM "); ok {
			problems = append(problems, strings.TrimSpace(p))
		}
	}
	return problems
}

func keep(t *testing.T, name string, img image.Image) {
	if *pictures == "" {
		return
	}
	f, err := os.Create(filepath.Join(*pictures, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

// look returns the mean brightness, 0 to 1, and how many colours there are.
func look(img image.Image) (mean float64, colors int) {
	seen := map[color.Gray16]bool{}
	var sum float64
	n := 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 3 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 3 {
			g := color.Gray16Model.Convert(img.At(x, y)).(color.Gray16)
			seen[g] = true
			sum += float64(g.Y) / 0xffff
			n++
		}
	}
	return sum / float64(n), len(seen)
}

// organisation is assessed for the page: 80 accounts with everything that there
// is to tell.
func organisation(t *testing.T) assess.Assessment {
	rng := rand.New(rand.NewPCG(1, 2))
	src := memory.New()
	mailboxes := []string{"Sent", "Archive", "Projects"}
	var accounts []model.Account
	for i := range 80 {
		login := fmt.Sprintf("%s.%s@%s", [...]string{"anna", "ben", "cleo", "dora", "emil", "frida", "gero", "hanna", "ida", "jan"}[i%10],
			[...]string{"adler", "berg", "conrad", "dietz", "ernst", "falk", "graf", "hahn"}[i/10], [...]string{"acme.test", "acme.test", "sales.acme.test"}[i%3])
		acc := model.Account{Login: login, Address: login, Name: strings.ToUpper(login[:1]) + login[1:4], Quota: int64(i%7/6) << 20}
		accounts = append(accounts, acc)
		if i == 77 {
			continue // the source does not have it
		}
		src.AddAccount(acc)
		for _, name := range mailboxes {
			src.AddMailbox(login, name, model.RoleNone)
		}
		for k := range 5 + rng.IntN(60)*(1+i%4) {
			at := now.AddDate(-rng.IntN(1+i%14), -rng.IntN(12), -rng.IntN(28))
			size := 1 << (8 + rng.IntN(10))
			text := fmt.Sprintf("Subject: %d\r\n\r\n%s", k, strings.Repeat("x", size))
			switch {
			case i%9 == 0 && k == 1:
				text = "no header at all"
			case i%11 == 0 && k == 2:
				text = "Subject: nul\r\n\r\n\x00\r\n"
			}
			src.Deliver(login, append(mailboxes, "INBOX")[rng.IntN(4)], text, model.Flags{}, at)
		}
		switch i % 10 {
		case 3:
			src.SetScripts(login, model.Script{Name: "main", Content: []byte("require \"vnd.dovecot.pipe\";\npipe \"invoice-robot\";\n"), Active: true})
		case 5:
			src.SetScripts(login, model.Script{Name: "main", Content: []byte("require \"fileinto\";\nfileinto \"Archive\";\n"), Active: true})
		}
	}
	grant := func(owner int, readers ...int) {
		var list []model.Grant
		for _, r := range readers {
			list = append(list, model.Grant{Identifier: accounts[r].Login, Rights: model.ParseRights("lrs")})
		}
		src.SetRights(accounts[owner].Login, "Projects", list...)
	}
	grant(0, 1, 2, 3, 4, 5, 6, 7, 8)
	grant(4, 0, 7)
	for i := 20; i < 23; i++ {
		grant(i, i+1)
	}
	grant(40, 41)
	org := model.Organisation{Domains: []model.Domain{{Name: "acme.test"}, {Name: "sales.acme.test"}}, Lists: make([]model.List, 12), CatchAlls: make([]model.CatchAll, 1),
		Notes: []model.Note{
			{Level: model.LevelStop, Code: "two-owners", Subject: "info@acme.test", Text: "is an address of anna.adler@acme.test and of ben.adler@acme.test", Remedy: "decide whose it is"},
			{Level: model.LevelWarning, Code: "pipe", Subject: "tickets@acme.test", Text: "mail is handed to |/usr/local/bin/ticket-import", Remedy: "let the ticket system fetch the mailbox over IMAP"},
		}}
	start := time.Now()
	a, err := assess.Run(t.Context(), assess.Options{Source: src, Complete: 3, Window: 2 * time.Second, Organisation: func(context.Context, map[string]int64) (model.Organisation, error) { return org, nil },
		Now: func() time.Time { return now.Add(time.Since(start)) }}, accounts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
