package front_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"

	"govor/hub/front"
)

func noEnv(string) string { return "" }

// serve answers at what cfg says until the test ends: /readyz with status.
func serve(t *testing.T, cfg front.Config, status int) *front.Front {
	t.Helper()
	cfg.Log = zap.NewNop()
	f, err := front.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Listen(noEnv); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, r.URL.Path)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(f.HTTP(func(ln net.Listener) net.Listener { return ln }))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		_ = f.Listener().Release()
	})
	return f
}

func TestCheckReachesWhatListens(t *testing.T) {
	listens := []string{"127.0.0.1:0"}
	if runtime.GOOS != "windows" {
		listens = append(listens, "unix:"+filepath.Join(t.TempDir(), "s"))
	}
	for _, listen := range listens {
		for _, status := range []int{200, 503} {
			cfg := front.Config{Listen: []string{listen}, SocketMode: 0o600}
			f := serve(t, cfg, status)
			if !strings.HasPrefix(listen, "unix:") {
				cfg.Listen[0] = f.Listener().Addr().String()
			}
			err := front.Check(t.Context(), cfg)
			if status == 200 && err != nil || status != 200 && (err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "/readyz")) {
				t.Errorf("%s with status %d: %v", listen, status, err)
			}
			_ = f.Listener().Close()
			_ = f.Listener().Release()
			if err := front.Check(context.Background(), cfg); err == nil {
				t.Errorf("%s is closed, and answers", listen)
			}
		}
	}
}

func TestWhereAndBase(t *testing.T) {
	f := serve(t, front.Config{Listen: []string{"127.0.0.1:0"}}, 200)
	if at := "http://" + f.Listener().Addr().String(); f.Where() != at || f.Base() != at {
		t.Errorf("where %s, base %s, want %s", f.Where(), f.Base(), at)
	}
	f = serve(t, front.Config{Listen: []string{":0"}, BaseURL: "https://chat.example"}, 200)
	if !strings.HasPrefix(f.Where(), "http://localhost:") || f.Base() != "https://chat.example" {
		t.Errorf("where %s, base %s", f.Where(), f.Base())
	}
	f = serve(t, front.Config{Listen: []string{"127.0.0.1:0"}, Domains: []string{"chat.example"}}, 200)
	if f.Where() != "https://"+f.Listener().Addr().String() || f.Base() != "https://chat.example" {
		t.Errorf("with TLS: where %s, base %s", f.Where(), f.Base())
	}
	if runtime.GOOS == "windows" {
		return
	}
	path := filepath.Join(t.TempDir(), "s")
	if f = serve(t, front.Config{Listen: []string{"unix:" + path}, SocketMode: 0o600}, 200); f.Where() != "unix:"+path || f.Base() != "http://localhost" {
		t.Errorf("on a socket: where %s, base %s", f.Where(), f.Base())
	}
}

func TestAnAddressThatIsTakenLeavesNoneTaken(t *testing.T) {
	taken := serve(t, front.Config{Listen: []string{"127.0.0.1:0"}}, 200).Listener().Addr().String()
	free := serve(t, front.Config{Listen: []string{"127.0.0.1:0"}}, 200)
	addr := free.Listener().Addr().String()
	_ = free.Listener().Close()
	for _, cfg := range []front.Config{
		{Listen: []string{addr}, MetricsListen: taken, Log: zap.NewNop()},
		{Listen: []string{addr}, HTTPListen: taken, Log: zap.NewNop()},
	} {
		f, err := front.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Listen(noEnv); err == nil || !strings.Contains(err.Error(), taken) {
			t.Errorf("error %v, want one that names %s", err, taken)
		}
		if err := front.Check(t.Context(), cfg); err == nil {
			t.Error("the first address is still taken")
		}
	}
}
