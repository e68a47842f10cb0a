package conformance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

func TestAnAzureZoneThatIsNotServedIsRefusedWithAMessageAndNothingLeavesTheMachine(t *testing.T) {
	t.Parallel()
	// In this network every address is its own, and the only name server notes
	// what it is asked: whoever wants to leave is seen.
	ns := newNamespace(t, "ip route add local default dev lo")
	seen := startRecorder(t, ns)
	s := startIn(t, ns)
	s.login()

	s.az("rest", "--method", "get", "--url", "https://kv1.vault.azure.net/secrets?api-version=7.4", "--resource", "https://vault.azure.net").
		fails("kv1.vault.azure.net", "Sekisho does not serve", "nothing was sent to Azure")
	// A key is refused with the same words, by a client that never asks for a token.
	get := func(url string) result {
		return s.client(nil, python(t, "openai"), "-c", `
import sys, requests
reply = requests.get(sys.argv[1], headers={"api-key": "0123456789abcdef"}, timeout=60)
print(reply.status_code, reply.text)`, url)
	}
	get("https://queue1.queue.core.windows.net/?comp=list").says("501 ", "Sekisho does not serve", "nothing was sent to Azure")

	if names := seen(); len(names) != 0 {
		t.Errorf("the machine asked for %v", names)
	}
	// That the recorder works: another host is tunnelled, and so asked for.
	get("https://example.com/").fails()
	if names := seen(); !strings.HasPrefix(strings.Join(names, " "), "example.com") {
		t.Errorf("of a tunnel to example.com the recorder saw %q", names)
	}
}

// startRecorder runs the recorder in a namespace; seen tells all names so far.
func startRecorder(t *testing.T, ns *namespace) (seen func() []string) {
	t.Helper()
	variable, path := self(t, "recorder")
	p := spawn(t, ns.wrapCommand(path, variable))
	if line, err := p.out.ReadString('\n'); line != "recording\n" {
		t.Fatalf("recorder: %q %v\n%s", line, err, p.log)
	}
	var mu sync.Mutex
	var names []string
	go func() {
		for lines := bufio.NewScanner(p.out); lines.Scan(); {
			mu.Lock()
			names = append(names, lines.Text())
			mu.Unlock()
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), names...)
	}
}

// record is a name server that prints each name it is asked for, and knows none.
func record() error {
	conn, err := net.ListenPacket("udp", ":53")
	if err != nil {
		return err
	}
	fmt.Println("recording")
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		name, question, err := question(buf[:n])
		if err != nil {
			continue
		}
		fmt.Println(name)
		// RFC 1035 §4.1.1: a response to a recursive query, with the question, RCODE 3.
		reply := binary.BigEndian.AppendUint16(nil, binary.BigEndian.Uint16(buf))
		reply = append(reply, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0)
		if _, err := conn.WriteTo(append(reply, question...), from); err != nil {
			return err
		}
	}
}

// question reads the first question of a DNS message: its name, and its bytes.
func question(message []byte) (name string, raw []byte, err error) {
	const header = 12
	if len(message) < header {
		return "", nil, io.ErrUnexpectedEOF
	}
	var labels []string
	for at := header; at < len(message); {
		length := int(message[at])
		switch at++; {
		case length == 0 && at+4 <= len(message):
			return strings.Join(labels, "."), message[header : at+4], nil
		case length > 63 || at+length > len(message):
			return "", nil, errors.New("malformed question")
		}
		labels = append(labels, string(message[at:at+length]))
		at += length
	}
	return "", nil, io.ErrUnexpectedEOF
}
