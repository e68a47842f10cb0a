package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sekisho/internal/platform"
)

// relayed starts a relay to a server that tells what reached it.
func relayed(t *testing.T, to platform.Relay) (address string, end func()) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { r.Write(w) }))
	t.Cleanup(server.Close)
	for range 10 { // another process may take a port that was free
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		to.Address = ln.Addr().String()
		ln.Close()
		end, err = relay(platform.Run{Environment: platform.Environment{Addresses: platform.Addresses{Identity: server.Listener.Addr().String()}},
			Relay: &to, Header: "X-IDENTITY-HEADER", Secret: "s3cret"})
		if err == nil {
			return to.Address, end
		} else if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port stays free")
	return "", nil
}

func TestARelayTellsTheRunAndChangesNothingElse(t *testing.T) {
	address, end := relayed(t, platform.Relay{})
	_, port, _ := net.SplitHostPort(address)
	for _, c := range []struct {
		host   string
		status int
	}{
		{address, 200}, {"169.254.169.254", 200}, {"localhost:" + port, 200}, {"[::1]:" + port, 200},
		{"rebound.example", 400}, {"rebound.example:" + port, 400}, {"localhost.rebound.example", 400},
	} {
		req, _ := http.NewRequest(http.MethodGet, "http://"+address+"/metadata/identity/oauth2/token?resource=r", nil)
		req.Host = c.host
		req.Header.Set("Metadata", "true")
		req.Header.Set("X-Forwarded-For", "10.0.0.1")
		req.Header.Set("X-IDENTITY-HEADER", "another's")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("Host %s: %d %s", c.host, resp.StatusCode, text)
		}
		for _, want := range []string{"GET /metadata/identity/oauth2/token?resource=r ", "\nMetadata: true\r", "\nX-Forwarded-For: 10.0.0.1\r", "\nX-Identity-Header: s3cret\r"} {
			if c.status == 200 && !strings.Contains(string(text), want) {
				t.Errorf("Host %s: %q is not in what arrived:\n%s", c.host, want, text)
			}
		}
		if strings.Contains(string(text), "another's") || c.status != 200 && strings.Contains(string(text), "s3cret") {
			t.Errorf("Host %s: %s", c.host, text)
		}
	}
	end()
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the relay outlives its run")
	}
}

func TestTheKeyOfARunIsItsUsersAloneAndGoesWithIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens", "a.key")
	_, end := relayed(t, platform.Relay{KeyFile: path, Key: "the key"})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("the file: %v %v", info, err)
	}
	if raw, err := os.ReadFile(path); string(raw) != "the key" {
		t.Errorf("%q %v", raw, err)
	}
	end()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("after the run: %v", err)
	}
}

func TestARelayWhoseAddressIsTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	path := filepath.Join(t.TempDir(), "a.key")
	taken := &platform.Relay{Address: ln.Addr().String(), KeyFile: path, Key: "the key"}
	if _, err := relay(platform.Run{Relay: taken}); err == nil || !strings.Contains(err.Error(), taken.Address) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a key without its server: %v", err)
	}
	taken.Optional = true
	end, err := relay(platform.Run{Relay: taken})
	if err != nil {
		t.Fatal(err)
	}
	end()
}
