package mailboxmap

import "testing"

func TestDecodeUTF7(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sent": "Sent", "Gel&APY-scht": "Gelöscht", "R&-D": "R&D", "&ZeVnLIqe-": "日本語", "a&2D3cDA-b": "a🐌b", "": "",
		"R&D": "!", "&A-": "!", "&AAAA-": "!", "&2AA-": "!",
	} {
		if got, err := DecodeUTF7(in); want == "!" && err == nil || want != "!" && (err != nil || got != want) {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}
