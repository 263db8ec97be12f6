package protocol

// Read says how far the member has read in a room, "" for the room of the connection's address.
type Read struct {
	Room string `json:"room"`
	Seq  int64  `json:"seq"`
}

// Watch names the rooms, at most MaxRoomsPerHello, of which the session wants to be told that something is new: by a
// News, without a seat in them. It replaces those of the Watch before. From the first one on the session also gets the
// ReadMark of what the member reads elsewhere.
type Watch struct {
	Rooms map[string]Resume `json:"rooms"` // After is the last number that the client knows of
}

// News says that there is something new in a room that the session watches; at most one a second and room.
type News struct {
	Room     string
	Last     int64 // the room's last number
	Messages int64 // how many messages have been written in it; unread are those above the read mark's
	Mentions int   // of the messages since the last News, or since After, those that mention the member
}

// ReadMark says how far the member has read in a room: another session of it has said so.
type ReadMark struct {
	Room     string
	Seq      int64 // everything up to this number
	Messages int64 // how many messages there are up to Seq
}

func (Read) command()   {}
func (Watch) command()  {}
func (News) frame()     {}
func (ReadMark) frame() {}
