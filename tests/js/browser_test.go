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

// serve serves the scripts and a folder of this one under the policy.
func serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/js/", http.FileServerFS(public.FS()))
	mux.Handle("/page/", http.FileServer(http.Dir(".")))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestInABrowser(t *testing.T) {
	ctx := browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(serve(t)+"/page/")); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	data, err := chromedp.Run(ctx, chromedp.Poll[map[string]string](
		`document.documentElement.dataset.done && {...document.documentElement.dataset}`))
	if err != nil {
		t.Fatalf("run the tests in the page: %v", err)
	}
	var list []string
	if err := json.Unmarshal([]byte(data["failures"]), &list); err != nil {
		t.Fatal(err)
	}
	for _, failure := range list {
		t.Error(failure)
	}
	t.Logf("%s tests in the page", data["done"])
}
