package js

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"govor/public"
)

// policy is the content security policy of the pages: what it forbids must not be needed.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types govor"

// browser returns a tab of a new browser, which is gone at the end of the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		require(t, "browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// serve serves the scripts, a folder of this one, and what is in pages, under the policy.
func serve(t *testing.T, pages map[string][]byte) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/js/", http.FileServerFS(public.FS()))
	mux.Handle("/page/", http.FileServer(http.Dir(".")))
	handle(mux, pages)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// open loads a page and waits for what its tests leave on <html>.
func open(t *testing.T, address string) map[string]string {
	t.Helper()
	ctx := browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	data, err := chromedp.Run(ctx, chromedp.Poll[map[string]string](
		`document.documentElement.dataset.done && {...document.documentElement.dataset}`))
	if err != nil {
		t.Fatalf("run the tests in %s: %v", address, err)
	}
	return data
}

// report fails for everything that failed in a page.
func report(t *testing.T, data map[string]string) {
	t.Helper()
	var failures []string
	if err := json.Unmarshal([]byte(data["failures"]), &failures); err != nil {
		t.Fatal(err)
	}
	for _, failure := range failures {
		t.Error(failure)
	}
	if data["done"] == "0" {
		t.Error("nothing was tested")
	}
	t.Logf("%s tested in the page", data["done"])
}

func TestInABrowser(t *testing.T) {
	report(t, open(t, serve(t, nil)+"/page/"))
}
