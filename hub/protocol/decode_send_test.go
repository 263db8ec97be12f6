package protocol

import (
	"reflect"
	"testing"
)

func TestPlainSendsAreReadByHand(t *testing.T) {
	for in, want := range map[string]bool{
		`{"type":"send","id":"a","text":"b"}`:                            true,
		`{"text":"привет, мир","room":"lobby","id":"a-1","type":"send"}`: true,
		`{"type":"send","text":""}`:                                      true,
		`{"type":"send","id":"a"}`:                                       false,
		`{"type":"send","id":"a","text":null}`:                           false,
		`{"type":"send","id":"a","text":"two\\nlines"}`:                  false,
		`{"type":"send","id":"a","text":"b","text":"c"}`:                 false,
		`{"type":"send","id":"a","text":"b","Text":"c"}`:                 false,
		`{"type":"send","id":"a","text":"b","why":"?"}`:                  false,
		`{"type":"send","id":"a","text":"b"} `:                           false,
		`{"type":"send","id":"a","text":"b",}`:                           false,
		`{"type":"send","id":"a","text":"b"`:                             false,
		`{"type":"edit","id":"a","text":"b"}`:                            false,
		"{\"type\":\"send\",\"text\":\"a\tb\"}":                          false,
		"{\"type\":\"send\",\"text\":\"\xff\"}":                          false,
		`{}`:                                                             false, `{`: false, ``: false, `[]`: false, `{"type"}`: false,
	} {
		if _, ok := decodeSend([]byte(in)); ok != want {
			t.Errorf("decodeSend(%q) is ok: %t, want %t", in, ok, want)
		}
	}
}

// What is read by hand is what encoding/json would have read.
func FuzzDecodeSend(f *testing.F) {
	for _, s := range []string{
		`{"type":"send","id":"a","text":"b"}`, `{"text":"привет","room":"lobby","id":"","type":"send"}`, `{"type":"send","text":"\u0000"}`,
		`{"type":"send","type":"send","text":"b"}`, `{"type":"send","text":"b"}}`, `{"TYPE":"send","text":"b"}`, "{\"type\":\"send\",\"text\":\"\xed\xa0\x80\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := decodeSend(data)
		if !ok {
			return
		}
		if want, bad := decodeCommand(data); bad != nil || !reflect.DeepEqual(Command(got), want) {
			t.Errorf("%q: by hand %#v, by encoding/json %#v, %v", data, got, want, bad)
		}
	})
}

func BenchmarkDecodeSend(b *testing.B) {
	data := []byte(`{"type":"send","id":"01a214fa-0fdf-7e14-a658-34489deb3276","text":"the quick brown fox jumps over the lazy dog and the slow server sends it to everyone again and again"}`)
	for name, decode := range map[string]func([]byte) (Command, *Error){"by hand": DecodeCommand, "encoding/json": decodeCommand} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
