package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	modelName  = "all-MiniLM-L6-v2"
	dimensions = 384
)

// model makes vectors of texts: a program that Java compiles, and the directory of
// its jars, which keeps what was made.
type model struct{ jars, source string }

// embed makes a vector of each text, or reads those that it made before.
func (m model) embed(texts []string) ([][]float32, error) {
	program, err := os.ReadFile(m.source)
	if err != nil {
		return nil, err
	}
	lines := strings.Join(texts, "\n") + "\n"
	kept := filepath.Join(m.jars, fmt.Sprintf("%x.f32", sha256.Sum256([]byte(string(program)+"\x00"+lines))))
	raw, err := os.ReadFile(kept)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = m.run(lines)
		if err == nil {
			err = errors.Join(os.WriteFile(kept+".partial", raw, 0o644), os.Rename(kept+".partial", kept))
		}
	}
	if err != nil {
		return nil, err
	}
	if len(raw) != 4*dimensions*len(texts) {
		return nil, fmt.Errorf("%s: %d bytes are not the vectors of %d texts", modelName, len(raw), len(texts))
	}
	all := make([][]float32, len(texts))
	for i := range all {
		all[i] = make([]float32, dimensions)
		if _, err := binary.Decode(raw[4*dimensions*i:], binary.LittleEndian, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (m model) run(lines string) ([]byte, error) {
	if jars, err := filepath.Glob(filepath.Join(m.jars, "onnxruntime-*.jar")); err != nil || jars == nil {
		return nil, fmt.Errorf("-model %s: there is no onnxruntime (make bench DATA=… fetches it)", m.jars)
	}
	var said bytes.Buffer
	cmd := exec.Command("java", "-cp", filepath.Join(m.jars, "*"), m.source)
	cmd.Stdin, cmd.Stderr = strings.NewReader(lines), &said
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", modelName, err, &said)
	}
	return raw, nil
}
