package export

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf16"
)

// The files of an export.
const (
	assignmentsFile = "role-assignments.json"
	rolesFile       = "role-definitions.json"
	deniesFile      = "deny-assignments.json"
	placesFile      = "management-groups.json"
	groupsFile      = "groups.json"
	principalsFile  = "principals.json"
)

// Files are the names of the files that Read looks for.
func Files() []string {
	return []string{assignmentsFile, rolesFile, deniesFile, placesFile, groupsFile, principalsFile}
}

// Read reads an export. A file that is not there has nothing in it. An error
// names the file, the element by its place from 0, and what is wrong with it.
func Read(dir fs.FS) (*Export, error) {
	b := newBuilder()
	for _, err := range []error{
		readFile(dir, assignmentsFile, b.addAssignment),
		readFile(dir, rolesFile, b.addRole),
		readFile(dir, deniesFile, b.addDeny),
		readFile(dir, placesFile, b.addPlace),
		readFile(dir, groupsFile, b.addGroup),
		readFile(dir, principalsFile, b.addPrincipal),
	} {
		if err != nil {
			return nil, err
		}
	}
	return b.finish()
}

func readFile[T any](dir fs.FS, name string, add func(T) error) error {
	f, err := dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := readList(f, add); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readList reads an array, or ARM's reply with one, element by element.
func readList[T any](r io.Reader, add func(T) error) error {
	text, err := asUTF8(r)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(text)
	start, err := dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty")
	case err != nil:
		return err
	case start == json.Delim('['):
		err = readElements(dec, add)
	case start == json.Delim('{'):
		err = readReply(dec, add)
	default:
		return errShape
	}
	if err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more after the list, at byte %d", dec.InputOffset())
	}
	return nil
}

var errShape = errors.New(`expected an array, or a reply {"value": [...]}`)

// readReply reads what follows the brace of {"value": [...], "nextLink": ...}.
func readReply[T any](dec *json.Decoder, add func(T) error) error {
	found := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		switch name, _ := key.(string); {
		case strings.EqualFold(name, "value") && !found:
			if start, err := dec.Token(); err != nil || start != json.Delim('[') {
				return errors.Join(err, errShape)
			}
			if err := readElements(dec, add); err != nil {
				return err
			}
			found = true
		case strings.EqualFold(name, "nextLink") || strings.EqualFold(name, "@odata.nextLink"):
			var link *string
			if err := dec.Decode(&link); err != nil {
				return fmt.Errorf("nextLink: %w", err)
			}
			if link != nil && *link != "" {
				return errors.New("the list goes on at its nextLink; put all of its pages into one array")
			}
		default:
			var other json.RawMessage
			if err := dec.Decode(&other); err != nil {
				return err
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return whole(err)
	}
	if !found {
		return errShape
	}
	return nil
}

// readElements reads what follows the bracket of an array.
func readElements[T any](dec *json.Decoder, add func(T) error) error {
	for i := 0; dec.More(); i++ {
		var element T
		if err := dec.Decode(&element); err != nil {
			return fmt.Errorf("element %d: %w", i, whole(err))
		}
		if err := add(element); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	_, err := dec.Token()
	return whole(err)
}

func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file ends in the middle of the list")
	}
	return err
}

// asUTF8 takes a byte order mark away. Windows PowerShell writes what it
// redirects to a file as UTF-16.
func asUTF8(r io.Reader) (io.Reader, error) {
	text := bufio.NewReaderSize(r, 1<<16)
	mark, err := text.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var order binary.ByteOrder
	switch {
	case string(mark) == "\xef\xbb\xbf":
		_, err := text.Discard(3)
		return text, err
	case strings.HasPrefix(string(mark), "\xff\xfe"):
		order = binary.LittleEndian
	case strings.HasPrefix(string(mark), "\xfe\xff"):
		order = binary.BigEndian
	default:
		return text, nil
	}
	raw, err := io.ReadAll(text)
	if err != nil {
		return nil, err
	}
	if len(raw)%2 != 0 {
		return nil, errors.New("the file is UTF-16 with an odd number of bytes")
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i < len(raw); i += 2 {
		units = append(units, order.Uint16(raw[i:]))
	}
	return strings.NewReader(string(utf16.Decode(units))), nil
}
