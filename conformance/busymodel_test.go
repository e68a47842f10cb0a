package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// busyModel is a model server that answers each second request, and the others
// with a 429 that asks for a second's patience. It is a process of its own, so
// that it can be where Sekisho is.
type busyModel struct {
	configuration string // of a Sekisho whose gpt-4o it is
	process       *process
}

const patienceAsked = time.Second

func newBusyModel(t *testing.T, ns *namespace) *busyModel {
	t.Helper()
	variable, path := self(t, "busy-model")
	b := &busyModel{configuration: filepath.Join(t.TempDir(), "sekisho.yaml"), process: spawn(t, ns.wrapCommand(path, variable))}
	address, err := b.process.out.ReadString('\n')
	if err != nil {
		t.Fatalf("busy model: %v\n%s", err, b.process.log)
	}
	// Sekisho's own patience is off: the client's is the one to be seen.
	yaml := "models:\n  - name: gpt-4o\n    url: http://" + strings.TrimSpace(address) + "/v1\n    retries: 0\n"
	if err := os.WriteFile(b.configuration, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// beBusy is the model server. It prints its address, and the time of each request.
func beBusy() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	asked := make(chan int, 1) // how often, until now
	asked <- 0
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := 1 + <-asked
		fmt.Println(time.Now().Format(time.RFC3339Nano))
		asked <- n
		w.Header().Set("Content-Type", "application/json")
		if n%2 == 1 {
			w.Header().Set("Retry-After", fmt.Sprint(patienceAsked.Seconds()))
			w.WriteHeader(http.StatusTooManyRequests)
			json.NewEncoder(w).Encode(object{"error": object{"message": "Too many requests.", "type": "rate_limit_error", "code": "rate_limit_exceeded"}})
			return
		}
		json.NewEncoder(w).Encode(object{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
			"choices": []object{{"index": 0, "finish_reason": "stop", "message": object{"role": "assistant", "content": "It is 3776 m high."}}},
			"usage":   object{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
	}))
}

// wasObeyed ends the model server, and demands that the client came back once,
// when it was told to.
func (b *busyModel) wasObeyed(t *testing.T) {
	t.Helper()
	b.process.cmd.Process.Kill()
	printed, err := io.ReadAll(b.process.out)
	if err != nil {
		t.Fatal(err)
	}
	var asked []time.Time
	for _, line := range strings.Fields(string(printed)) {
		at, err := time.Parse(time.RFC3339Nano, line)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, at)
	}
	if len(asked) != 2 {
		t.Fatalf("the busy model was asked %d times, want twice", len(asked))
	}
	if waited := asked[1].Sub(asked[0]); waited < patienceAsked {
		t.Errorf("the client came back after %v, before the %v of Retry-After", waited, patienceAsked)
	}
}
