package tests

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// needQuiet skips a test whose times mean something only when nothing else runs: make timing.
func needQuiet(t *testing.T) {
	t.Helper()
	if os.Getenv("GOVOR_TIMING") == "" {
		t.Skip("measures times: make timing, on a machine that does nothing else")
	}
}

// signIn posts the login of a program and returns the code of the refusal.
func (s *server) signIn(client *http.Client, name, password string) (string, error) {
	resp, err := client.PostForm(s.url("/login"), url.Values{"name": {name}, "password": {password}})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return fmt.Sprint(resp.StatusCode), nil
}

// claimed makes so many names with a password.
func (s *server) claimed(n int) (names []string) {
	s.t.Helper()
	for i := range n {
		name := fmt.Sprintf("known-%d", i)
		cookie := s.login(name)
		a := s.form("/account/password", "password=right-password", "Cookie", cookie)
		if a.status >= 400 {
			s.t.Fatalf("set a password: %d %s", a.status, a.body)
		}
		names = append(names, name)
	}
	return names
}

// Nobody learns from the time that a wrong password takes whether there is such a name: 200 tries at names that have one
// and 200 at names that nobody has, mixed, come from one distribution (Mann–Whitney, p > 0.01). Of what is true, one run in
// a hundred says that it is not, so a second one decides.
func TestKnownNamesCannotBeToldByTime(t *testing.T) {
	needQuiet(t)
	s := start(t, "--logins-per-ip", "0", "--requests-per-ip", "0", "--connects-per-ip", "0")
	const each, ofOneName = 200, 5 // ten tries at a name are free: five in each run
	known := s.claimed(each / ofOneName)
	p := 0.0
	for run := 0; run < 2 && p <= 0.01; run++ {
		var took [2][]time.Duration // unknown, known
		for i := range each {
			for _, kind := range rand.Perm(2) {
				name := fmt.Sprintf("nobody-%d-%d", run, i/ofOneName)
				if kind == 1 {
					name = known[i/ofOneName]
				}
				began := time.Now()
				status, err := s.signIn(http.DefaultClient, name, "wrong-password")
				took[kind] = append(took[kind], time.Since(began))
				if err != nil || status != "401" && status != "403" {
					t.Fatalf("%s: status %s, %v", name, status, err)
				}
			}
		}
		p = mannWhitney(took[0], took[1])
		t.Logf("unknown %v, known %v (medians), p = %.3f", median(took[0]), median(took[1]), p)
	}
	if p <= 0.01 {
		t.Errorf("p = %.4f: known names can be told", p)
	}
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// mannWhitney is the probability that two samples of one distribution differ so much (two-sided, by the normal
// approximation with ties, which is good from twenty values on).
func mannWhitney(a, b []time.Duration) float64 {
	type value struct {
		of int
		d  time.Duration
	}
	var all []value
	for _, d := range a {
		all = append(all, value{0, d})
	}
	for _, d := range b {
		all = append(all, value{1, d})
	}
	slices.SortFunc(all, func(x, y value) int { return cmp.Compare(x.d, y.d) })
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].d == all[i].d {
			j++
		}
		for _, v := range all[i:j] {
			if v.of == 0 {
				ranks += float64(i+j+1) / 2
			}
		}
		n := float64(j - i)
		ties += n*n*n - n
		i = j
	}
	na, nb, n := float64(len(a)), float64(len(b)), float64(len(all))
	u := ranks - na*(na+1)/2
	sigma := math.Sqrt(na * nb / 12 * (n + 1 - ties/(n*(n-1))))
	return math.Erfc(math.Abs(u-na*nb/2) / sigma / math.Sqrt2)
}

func TestMannWhitney(t *testing.T) {
	draw := func(n int, shift float64) (d []time.Duration) {
		r := rand.New(rand.NewPCG(1, uint64(n)+uint64(shift*100)))
		for range n {
			d = append(d, time.Duration((r.NormFloat64()+shift)*1e6))
		}
		return d
	}
	if p := mannWhitney(draw(200, 0), draw(201, 0)); p < 0.01 {
		t.Errorf("of the same: p = %v", p)
	}
	if p := mannWhitney(draw(200, 0), draw(200, 0.5)); p > 0.001 {
		t.Errorf("half a deviation apart: p = %v", p)
	}
	// Checked by hand: U = 0 of 5 and 5, without ties: z = 12.5/4.787.
	if p := mannWhitney([]time.Duration{1, 2, 3, 4, 5}, []time.Duration{6, 7, 8, 9, 10}); math.Abs(p-0.00902) > 0.0001 {
		t.Errorf("p = %v, want 0.00902", p)
	}
	if p := mannWhitney([]time.Duration{1, 1, 1}, []time.Duration{1, 1, 2}); p < 0.2 || p > 0.4 {
		t.Errorf("with ties: p = %v, want 0.317", p)
	}
}

// A hundred who log in with wrong passwords at the same time, from another address, cost those who talk little: the p99 of a
// message's way is at most 1.5 times that without them, as the median of five interleaved pairs. Only the limit that would
// keep them from having passwords looked at is off.
func TestWrongLoginsDoNotDisturb(t *testing.T) {
	needQuiet(t)
	s := start(t, "--logins-per-ip", "0")
	known := s.claimed(10)
	var talkers []*conn
	for i := range 10 {
		c, _ := s.text(fmt.Sprintf("talker-%d", i), "")
		talkers = append(talkers, c)
	}
	var ratios []float64
	for range 5 {
		calm := wayOfMessages(talkers)
		stop := s.besiege(known)
		beset := wayOfMessages(talkers)
		looked := stop()
		ratios = append(ratios, float64(beset)/float64(calm))
		t.Logf("p99 %v, with wrong logins %v (%d passwords were looked at)", calm, beset, looked)
		if looked < 10 {
			t.Error("hardly a password was looked at")
		}
	}
	slices.Sort(ratios)
	if ratios[2] > 1.5 {
		t.Errorf("the p99 is %.2f times as long (%.2f)", ratios[2], ratios)
	}
}

// besiege has a hundred log in again and again until stop is called, which says how many passwords were looked at.
func (s *server) besiege(known []string) (stop func() int64) {
	var all sync.WaitGroup
	var looked atomic.Int64
	done := make(chan struct{})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 100}}
	for i := range 100 {
		all.Go(func() { // ends with done
			for n := 0; ; n++ {
				name := known[i%len(known)]
				if i%2 == 0 {
					name = fmt.Sprintf("nobody-%d-%d", i, n)
				}
				pause := time.Second // of whom is told to come later
				if status, err := s.signIn(client, name, "wrong-password"); err == nil && (status == "401" || status == "403") {
					looked.Add(1)
					pause = 0
				}
				select {
				case <-done:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	return func() int64 {
		close(done)
		all.Wait()
		client.CloseIdleConnections()
		return looked.Load()
	}
}

// wayOfMessages has everybody talk for a while and returns the 99th percentile of the time from sending to seeing.
func wayOfMessages(talkers []*conn) time.Duration {
	const messages, pause = 12, 300 * time.Millisecond // of each
	run := fmt.Sprint(rand.Uint64())
	var mu sync.Mutex
	sent := map[string]time.Time{}
	var took []time.Duration
	var all sync.WaitGroup
	for i, c := range talkers {
		all.Go(func() {
			for n := range messages {
				<-time.After(pause/2 + rand.N(pause))
				text := fmt.Sprintf("%s-%d-%d.", run, i, n)
				mu.Lock()
				sent[text] = time.Now()
				mu.Unlock()
				c.write(text)
			}
		})
		all.Go(func() {
			for seen := 0; seen < messages*len(talkers); {
				line := c.next("a message")
				_, text, ok := strings.Cut(line, ": ")
				if !ok || !strings.HasPrefix(text, run) {
					continue
				}
				seen++
				mu.Lock()
				took = append(took, time.Since(sent[text]))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}
