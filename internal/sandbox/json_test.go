package sandbox

import (
	"encoding/json"
	"reflect"
	"testing"
)

var jsonSeeds = []string{
	`{}`, `[]`, `null`, ` [1, -2.5e3 ,true,false,null,"a\u00e9\ud83d\ude00\n\/"] `, `{"a":{"b":[{}]},"a":2}`, `"\ud800"`, `"\x"`, `01`, `-`, `1.`, `1e`,
	`{"a"}`, `{"a":}`, `[1,]`, `"abc`, "\"\x01\"", "\"\xff\"", `tru`, `{"a":1}x`, `[[[[[[]]]]]]`, `"\u12"`, `"a\`,
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	for _, s := range jsonSeeds {
		compareJSON(t, []byte(s))
	}
	v, err := parseJSON([]byte(`{"b":1,"a":"x\/y"}`))
	if err != nil || v.members[0].name != "b" || !v.get("a").escaped || v.get("a").text != "x/y" {
		t.Errorf("%+v %v", v, err)
	}
}

// compareJSON checks the parser against encoding/json, which is milder in
// two points: it repairs broken UTF-8 and lone surrogates.
func compareJSON(t *testing.T, in []byte) {
	t.Helper()
	var want any
	refErr := json.Unmarshal(in, &want)
	v, err := parseJSON(in)
	if err == nil && refErr != nil {
		t.Fatalf("%q: accepted, but %v", in, refErr)
	}
	if err != nil {
		return
	}
	text, _ := json.Marshal(v.any())
	var got any
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %v, want %v", in, got, want)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) { compareJSON(t, in) })
}
