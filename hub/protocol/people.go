package protocol

// Nick gives the member another name. The answer is another Welcome, or an error.
type Nick struct {
	Name string `json:"name"`
}

// Who asks who is in a room, "" for the room of the connection's address; a People answers.
type Who struct {
	Room string `json:"room"`
}

// People is who is in a room.
type People struct {
	Room   string
	Online int      // members in the room
	People []Person // sorted by name, at most MaxPeople
}

func (Nick) command() {}
func (Who) command()  {}
func (People) frame() {}

// jsonName is a Rename in JSON.
type jsonName struct {
	Member string `json:"member"`
	Was    string `json:"was"`
	Name   string `json:"name"`
}

func namesJSON(renamed []Rename) []jsonName {
	var list []jsonName
	for _, n := range renamed {
		list = append(list, jsonName{Member: n.Member.String(), Was: n.Was, Name: n.Name})
	}
	return list
}

func peopleJSON(people []Person) []jsonPerson {
	list := make([]jsonPerson, 0, len(people))
	for _, p := range people {
		list = append(list, jsonPerson{Member: p.Member.String(), Name: p.Name, Role: p.Role})
	}
	return list
}
