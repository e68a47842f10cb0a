package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// serve is a child process: the mock upstream, or the bare proxy before it.
// It prints the address that it listens on.
func serve(args []string) error {
	go tellUsage()
	what, certificate := args[0], args[1]
	var handler http.Handler
	switch what {
	case "mock":
		handler = http.HandlerFunc(mock)
	case "proxy":
		handler = reverseProxy(args[2])
	case "sekisho":
		return serveSekisho(args[1] == "true", args[2], args[3])
	default:
		return fmt.Errorf("no server %q", what)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	context.AfterFunc(ctx, func() { server.Close() })
	if certificate != "" {
		err = server.ServeTLS(ln, certificate, certificate)
	} else {
		err = server.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// reverseProxy is httputil's own, with as many idle connections as it may need
// and every write flushed.
func reverseProxy(upstream string) http.Handler {
	target := &url.URL{Scheme: "http", Host: upstream}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mock may answer before the transport has seen the end of the
		// request's body, which net/http closes when the reply begins.
		http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	})
}

var answer = []byte(`{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-35-turbo","choices":[{"index":0,"message":{"role":"assistant","content":"` +
	strings.Repeat("Bill Gates and Paul Allen founded Microsoft in 1975. ", 10) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":14,"completion_tokens":120,"total_tokens":134}}`)

// mock answers at once: 20 chunks for a stream, or one JSON object. A request
// that says "hold" begins a stream and keeps it open.
func mock(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	text := string(body)
	if !strings.Contains(text, `"stream":true`) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for range 20 {
		fmt.Fprint(w, "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-35-turbo\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n")
		flush.Flush()
		if strings.Contains(text, "hold") {
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Minute):
			}
			return
		}
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func insecure() *tls.Config {
	return &tls.Config{NextProtos: []string{"http/1.1"}, InsecureSkipVerify: true}
}
