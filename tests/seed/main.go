// Command seed fills a data directory with messages, as if a busy chat had run there: for benchmarks and load tests.
//
//	go run ./tests/seed --dir DIR --events 1000000 --rooms 500 --members 500
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// batchEvents is how many events one transaction stores.
const batchEvents = 4096

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	dir := flags.String("dir", "", "data directory to fill; must not be in use")
	events := flags.Int("events", 1_000_000, "messages to store")
	rooms := flags.Int("rooms", 500, "rooms, named room-0 and so on; the messages are spread over them at random")
	members := flags.Int("members", 500, "members who wrote the messages")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" || *events < 0 || *rooms < 1 || *members < 1 {
		return errors.New("--dir is needed, and at least one room and one member")
	}
	s, err := store.Open(*dir, zap.NewNop())
	if err != nil {
		return err
	}
	start := time.Now()
	if err := fill(s, *events, *rooms, *members); err != nil {
		return errors.Join(err, s.Close())
	}
	if err := s.Close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "seed: %d messages in %s\n", *events, time.Since(start).Round(time.Millisecond))
	return nil
}

func fill(s *store.Store, events, rooms, members int) error {
	now := time.Now().UnixMilli()
	var batch []protocol.Event
	for i := range rooms {
		body, err := json.Marshal(protocol.RoomBody{Name: roomName(i), Kind: "public"})
		if err != nil {
			return err
		}
		batch = append(batch, protocol.Event{
			Room: protocol.RoomServer, Kind: protocol.KindRoom, V: protocol.Version, ID: protocol.NewID(), At: now, Body: string(body),
		})
	}
	ids := make([]protocol.MemberID, members)
	for i := range ids {
		ids[i] = protocol.NewMemberID()
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < events || len(batch) > 0; {
		for ; i < events && len(batch) < batchEvents; i++ {
			m := random.IntN(members)
			batch = append(batch, protocol.Event{
				Room: roomName(random.IntN(rooms)), Kind: protocol.KindMessage, V: protocol.Version, ID: protocol.NewID(),
				Member: ids[m], Name: fmt.Sprintf("Участник %d", m), NameKey: fmt.Sprintf("участник %d", m),
				At: now - int64(events-i), Body: text(random),
			})
		}
		results, err := s.Apply(context.Background(), batch)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Err != nil {
				return r.Err
			}
		}
		batch = batch[:0]
	}
	return nil
}

func roomName(i int) string { return fmt.Sprintf("room-%d", i) }

var words = []string{
	"привет", "говор", "вечером", "завтра", "кто", "идёт", "на", "реку", "я", "взял", "чай", "и", "лодку", "ok", "да", "нет",
	"субботы", "посмотри", "ссылку", "https://example.org/a", "потом", "сборка", "упала", "снова", "чиним",
}

// text is a message of about 150 bytes.
func text(random *rand.Rand) string {
	var b []byte
	for len(b) < 80+random.IntN(120) {
		b = append(b, words[random.IntN(len(words))]...)
		b = append(b, ' ')
	}
	return string(b[:len(b)-1])
}
