package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// serveFloor is a bare file server: it syncs what it is sent, and knows no one.
func serveFloor(dir, cert, key string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	files := http.FileServer(http.Dir(dir))
	return http.ServeTLS(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			files.ServeHTTP(w, r)
			return
		}
		if err := keep(dir, filepath.Base(r.URL.Path), r.Body, true); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}), cert, key)
}

// keep writes a file beside its place and moves it there, on disk if it must be.
func keep(dir, name string, src io.Reader, sync bool) error {
	f, err := os.CreateTemp(dir, "new-")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, src)
	if err == nil && sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil || !sync {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (w *world) startFloor(cert, key string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Join(w.dir, "floor")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	cmd := exec.Command(self, "floor", dir, cert, key)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.children = append(w.children, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	base, client := "https://"+strings.TrimSpace(line)+"/", transport()
	send := func(ctx context.Context, method, name string, body io.Reader) error {
		r, err := http.NewRequestWithContext(ctx, method, base+name, body)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err == nil && resp.StatusCode >= 300 {
			err = errors.New(resp.Status)
		}
		return errors.Join(err, resp.Body.Close())
	}
	w.servers = append(w.servers, server{"net/http file server, synced",
		func(ctx context.Context, name string, data []byte) error {
			return send(ctx, http.MethodPut, name, bytes.NewReader(data))
		},
		func(ctx context.Context, name string) error { return send(ctx, http.MethodGet, name, nil) }})
	return nil
}

// copies is no server: files written and read as they are, left to the operating
// system to sync.
func copies(dir string) server {
	os.Mkdir(dir, 0o700)
	return server{"plain files, not synced",
		func(_ context.Context, name string, data []byte) error {
			return keep(dir, name, bytes.NewReader(data), false)
		},
		func(_ context.Context, name string) error {
			f, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, bufio.NewReader(f))
			return errors.Join(err, f.Close())
		}}
}
