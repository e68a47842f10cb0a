package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// target is one server under load.
type target struct {
	name    string
	server  *child
	address string
	host    string // Host header and server name
	path    string
	header  string // credentials, a line each
	tls     *tls.Config
}

type result struct {
	p50, p99 time.Duration
	rate     float64
	// of the server's process, per request
	cpu               time.Duration
	allocs, allocated float64
}

const question = `{"model":"gpt-35-turbo","messages":[{"role":"user","content":"Who were the founders of Microsoft?"}],"stream":%v}`

// load calls a target in a closed loop over a number of connections. The client
// writes one request that is made beforehand and reads the answer with as
// little work as HTTP allows, so that little of what is measured is its own.
func load(t target, stream bool, connections int, duration time.Duration) (result, error) {
	body := fmt.Sprintf(question, stream)
	request := []byte(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s", t.path, t.host, len(body), t.header, body))
	var mu sync.Mutex
	var latencies []time.Duration
	var failed error
	var wg sync.WaitGroup
	conns := make([]net.Conn, connections)
	for i := range conns {
		var err error
		if conns[i], err = connect(t); err != nil {
			return result{}, err
		}
		defer conns[i].Close()
	}
	before, err := t.server.usage()
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	deadline := start.Add(duration)
	for _, conn := range conns {
		wg.Go(func() {
			own, err := loop(conn, request, deadline)
			mu.Lock()
			defer mu.Unlock()
			latencies, failed = append(latencies, own...), errors.Join(failed, err)
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	if failed != nil || len(latencies) == 0 {
		return result{}, fmt.Errorf("%d answers: %w", len(latencies), failed)
	}
	used, err := t.server.usage()
	if err != nil {
		return result{}, err
	}
	used = used.minus(before)
	slices.Sort(latencies)
	n := len(latencies)
	return result{latencies[n/2], latencies[n*99/100], float64(n) / elapsed.Seconds(),
		used.cpu / time.Duration(n), float64(used.mallocs) / float64(n), float64(used.malloc) / float64(n)}, nil
}

func connect(t target) (net.Conn, error) {
	conn, err := net.Dial("tcp", t.address)
	if err != nil || t.tls == nil {
		return conn, err
	}
	config := t.tls.Clone()
	config.ServerName, _, _ = strings.Cut(t.host, ":")
	secure := tls.Client(conn, config)
	return secure, secure.Handshake()
}

func loop(conn net.Conn, request []byte, deadline time.Time) ([]time.Duration, error) {
	reader := bufio.NewReaderSize(conn, 64<<10)
	var all []time.Duration
	for {
		begin := time.Now()
		if begin.After(deadline) {
			return all, nil
		}
		if _, err := conn.Write(request); err != nil {
			return all, err
		}
		if err := readAnswer(reader); err != nil {
			return all, err
		}
		all = append(all, time.Since(begin))
	}
}

// readAnswer reads one answer of status 200, of known length or in chunks.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		rest, _ := r.Peek(min(r.Buffered(), 1200))
		return fmt.Errorf("%s%s", line, rest)
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length >= 0 {
		_, err := r.Discard(length)
		return err
	}
	for { // chunks
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return err
		}
		if _, err := r.Discard(int(size) + 2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}
