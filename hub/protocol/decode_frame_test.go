package protocol_test

import (
	"reflect"
	"testing"
	"time"

	"govor/hub/protocol"
)

func TestDecodeFrameReadsWhatAppendWrites(t *testing.T) {
	member := protocol.NewMemberID()
	at := time.UnixMilli(1_790_000_000_123).UTC()
	event := &protocol.Event{
		Room: "lobby", Kind: protocol.KindMessage, V: protocol.Version, ID: "a", Member: member, Name: "Иван",
		At: at.UnixMilli(), Body: "раз\n\"два\" \x1b[31m", Seq: 41,
	}
	frames := []protocol.Frame{
		protocol.Welcome{Session: "s", Member: member, Name: "Иван", Token: "t", MaxText: 8000},
		protocol.Joined{Room: "lobby", After: 3, Last: 9, Online: 2, People: []protocol.Person{{Member: member, Name: "Иван", Role: protocol.RoleOwner}}},
		&protocol.Notice{
			Action: protocol.ActionMute, Room: "lobby", Member: member, Name: "Иван", By: "Мария", You: true, Until: at.Add(time.Hour),
			Role: protocol.RoleModerator, Slow: time.Second, Why: "спам", At: at,
		},
		protocol.Joined{Room: "lobby"},
		protocol.Reset{Room: "lobby", Reason: protocol.ResetPruned, After: 0, Last: 9},
		protocol.Message{Event: event},
		protocol.Message{Event: &protocol.Event{
			Room: "lobby", Kind: protocol.KindDeletion, V: protocol.Version, ID: "d", Member: member, Name: "Иван",
			At: at.UnixMilli(), Seq: 44, Target: 41,
		}},
		&protocol.Presence{Room: "lobby", Online: 3, Joined: []string{"Анна"}, JoinedCount: 4, LeftCount: 1, Left: []string{"Пётр"}, At: at},
		protocol.Receipt{Room: "lobby", ID: "a", Seq: 41, Duplicate: true},
		&protocol.Error{Code: protocol.CodeTooFast, Message: "m", RetryAfter: time.Second, Suggestion: "s", ID: "a", Room: "lobby", Why: "w"},
		protocol.Left{Room: "lobby"},
		protocol.Pong{},
	}
	for _, want := range frames {
		data := protocol.JSON{}.Append(nil, want)
		got, err := protocol.DecodeFrame(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("DecodeFrame(%s) = %#v, %v, want %#v", data, got, err, want)
		}
	}
}

func TestDecodeFrameOfAnUnknownTypeIsNothing(t *testing.T) {
	if f, err := protocol.DecodeFrame([]byte(`{"type":"typing","names":["Иван"]}`)); f != nil || err != nil {
		t.Errorf("DecodeFrame = %v, %v, want nil, nil", f, err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"type":"message","room":"lobby"}`, `{"type":"welcome","member":"?"}`} {
		if f, err := protocol.DecodeFrame([]byte(bad)); err == nil {
			t.Errorf("DecodeFrame(%q) = %v, want an error", bad, f)
		}
	}
}
