package protocol

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func looksOf(t *testing.T, name string) Looks {
	t.Helper()
	shown, key, err := CheckName(name)
	if err != nil {
		t.Fatalf("CheckName(%+q) = %v", name, err)
	}
	return LooksOf(shown, key)
}

// Each of these could be taken for the name before it.
func TestHostileNamesLookLikeTheirVictims(t *testing.T) {
	for victim, hostile := range map[string][]string{
		"alice": {
			"аlice",       // Cyrillic а
			"aliсe",       // Cyrillic с
			"аliсе",       // а, с, е
			"АLICE",       // Cyrillic А in capitals
			"ALΙCE",       // Greek Ι
			"AIice",       // capital I for l
			"A1ice",       // digit one
			"aӏice",       // palochka
			"alіce",       // Ukrainian і
			"alıce",       // dotless
			"ali\u0307ce", // a second dot
			"αlice",       // Greek alpha
			"ɑlice",       // Latin alpha
			"aⅼice",       // Roman numeral
			"𝐚𝐥𝐢𝐜𝐞",       // mathematical
			"ａｌｉｃｅ",       // full width
			"aliⅽe",       // Roman numeral
			"ALICE", "Alice",
		},
		"Иван":       {"Ивaн", "ивaн", "Ивɑн", "ИBАН", "ИBAН", "ИВAН"},
		"Роман":      {"Pоман", "Poман", "Рoмaн", "ΡΟМАН", "PОМАН"},
		"Сара":       {"Capa", "Сapa", "CАРА", "сaрa"},
		"Ольга":      {"Oльга", "0льга", "Ольгa"},
		"Maria":      {"Mаria", "Мaria", "МARIA", "rnaria", "Mariа", "MАRIА"},
		"Bill":       {"BiIl", "Bi11", "ВiII", "Biӏӏ", "BіⅠI"},
		"paypal":     {"раураl", "paypaⅼ", "pаypal", "PAУPAL"},
		"Саша":       {"Caшa", "Cawa"},
		"Ёлка":       {"Ëлкa", "Ёлкa"},
		"Мила":       {"Mила", "Милa"},
		"José":       {"Jоsé", "Josе\u0301", "J0sé"},
		"Νίκος":      {"Nίκος", "Νίκoς"},
		"Tom":        {"Том", "ТОМ", "Тоm", "Torn"}, // in capitals they are the same
		"a-b":        {"a‐b", "a−b"},
		"Anna Maria": {"Anna\u00a0Maria", "Anna\u2003Maria", "Аnna Maria"},
	} {
		want := looksOf(t, victim)
		for _, name := range hostile {
			if got := looksOf(t, name); !got.Like(want) || !want.Like(got) {
				t.Errorf("%q looks like %q, which does not look like %q: %q", name, got, victim, want)
			}
		}
	}
}

// All of these may be in one room together.
func TestNamesOfManyScriptsDoNotLookAlike(t *testing.T) {
	names := []string{
		"Роман", "Иван", "Мария", "Анна", "Ольга", "Саша", "Пётр", "Семён", "Семен", "Зоя", "Олександр", "Їжак", "Ганна", "Ґалаґан",
		"Alice", "Roman", "Ivan", "Maria", "Anna", "Olga", "José", "Jose", "François", "Müller", "Mueller", "Straße", "Łukasz",
		"Søren", "Ðóra", "İrem", "Nguyễn Văn An", "Nguyen Van An", "O_o", "R2-D2", "Anna Maria", "Иван Петров", "DJ Вася 2",
		"Γιώργος", "Νίκος", "Արմեն", "გიორგი", "דוד", "שרה", "محمد", "فاطمة", "अमित", "প্রিয়া", "சிவா", "สมชาย", "张伟", "王伟", "李娜",
		"さくら", "サクラ", "田中", "김민준", "이서연", "አበበ", "🦊", "🐼", "Kirill", "Кирилл", "Max", "Макс", "Nina", "Нина",
	}
	for i, a := range names {
		for _, b := range names[:i] {
			if looksOf(t, a).Like(looksOf(t, b)) {
				t.Errorf("%q is refused because of %q: %q, %q", a, b, looksOf(t, a), looksOf(t, b))
			}
		}
	}
}

func TestSuffixMakesANameUnlike(t *testing.T) {
	for _, name := range []string{"alice", "Иван", "Bill", "张伟", "🦊"} {
		seen := map[string]int{}
		for n := 2; n <= 99; n++ {
			for _, look := range looksOf(t, WithSuffix(name, n)) {
				if before, ok := seen[look]; ok && look != "" && before != n {
					t.Errorf("%s-%d looks like %s-%d", name, before, name, n)
				}
				seen[look] = n
			}
		}
	}
}

func TestWhatLooksReservedIsReserved(t *testing.T) {
	for _, name := range []string{
		"аdmin", "ADМIN", "Adrnin", "adm1n", "AdmІn", "r00t", "Rооt", "SYSТEM", "Ѕystem", "gоvor", "G0vor", "Сeрвер", "Cервер", "aдмин",
		"АДMИН", "Cиcтемa", "moderatоr", "ѕerver",
	} {
		if _, _, err := CheckName(name); err == nil || err.Code != CodeNameTaken {
			t.Errorf("CheckName(%q) = %v, want %s", name, err, CodeNameTaken)
		}
	}
}

// Names come back from cookies and files: what they look like must not change.
func TestLooksAreStable(t *testing.T) {
	for r := range someCharacters() {
		for _, name := range []string{string(r), "a" + string(r), string(r) + "a"} {
			shown, key, err := CheckName(name)
			if err != nil {
				continue
			}
			for _, look := range LooksOf(shown, key) {
				if look != "" && slowSkeleton(look) != look {
					t.Fatalf("the skeleton of %+q is %+q, and that of it %+q", name, look, skeleton(look))
				}
			}
			if l := LooksOf(shown, key); strings.TrimSpace(l[0]) == "" {
				t.Fatalf("%+q looks like nothing", name)
			}
		}
	}
}

func TestShortWayToASkeletonIsTheSame(t *testing.T) {
	for _, name := range []string{"guest-1024", "AIice", "O_o", "rn%m|W", "Bill$+=~^&()[]{}", "Пётр", "Ґалаґан", "Γιώργος", "İrem", "Straße"} {
		if got, want := skeleton(name), slowSkeleton(name); got != want {
			t.Errorf("skeleton(%q) = %q, want %q", name, got, want)
		}
	}
	letter := letterSkeletons()
	var all []rune
	for r := range letter {
		if letter[r] != "" {
			all = append(all, rune(r))
		}
	}
	if len(all) < 1000 {
		t.Errorf("%d letters have a short way", len(all))
	}
	random := rand.New(rand.NewPCG(1, 2)) // neighbours of every kind
	times := 20_000
	if raceEnabled {
		times = 500
	}
	for range times {
		name := make([]rune, 2+random.IntN(5))
		for i := range name {
			name[i] = all[random.IntN(len(all))]
		}
		if got, want := skeleton(string(name)), slowSkeleton(string(name)); got != want {
			t.Fatalf("skeleton(%+q) = %+q, want %+q", string(name), got, want)
		}
	}
}
