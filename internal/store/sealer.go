package store

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sealer encrypts the secrets in documents under the data key of a data
// directory, and makes digests of secrets that documents are found by.
type Sealer struct {
	aead   cipher.AEAD
	digest []byte
}

const (
	keySize     = 32
	dataKeyFile = "data.key"
)

// OpenSealer opens the data key of a data directory. keeperURL is a URL of
// gocloud.dev/secrets (base64key://…) whose key wraps it; without one, the key
// in master.key does.
//
// Both files are created in a new directory. In one that has a database, the
// data key must be there.
func OpenSealer(ctx context.Context, dir, keeperURL string) (*Sealer, error) {
	path := filepath.Join(dir, dataKeyFile)
	wrapped, err := readPrivate(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nil, err
	}
	if fresh {
		if err := checkNoDatabase(dir); err != nil {
			return nil, err
		}
	}
	keeper, err := openKeeper(ctx, dir, keeperURL, fresh)
	if err != nil {
		return nil, err
	}
	defer keeper.Close()

	if !fresh {
		key, err := keeper.Decrypt(ctx, wrapped)
		if err != nil {
			return nil, fmt.Errorf("%s does not open with %s: %w", path, keeperName(dir, keeperURL), err)
		}
		return newSealer(key)
	}
	key := make([]byte, keySize)
	rand.Read(key)
	if wrapped, err = keeper.Encrypt(ctx, key); err != nil {
		return nil, fmt.Errorf("wrap the data key with %s: %w", keeperName(dir, keeperURL), err)
	}
	if err := writePrivate(path, wrapped); err != nil {
		return nil, err
	}
	return newSealer(key)
}

// checkNoDatabase fails if there is a database, which had a data key.
func checkNoDatabase(dir string) error {
	database := filepath.Join(dir, databaseFile)
	_, err := os.Stat(database)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is missing, but %s exists, whose secrets are sealed under it; restore it from a backup",
		filepath.Join(dir, dataKeyFile), database)
}

func newSealer(dataKey []byte) (*Sealer, error) {
	if len(dataKey) != keySize {
		return nil, fmt.Errorf("the data key has %d bytes, not %d", len(dataKey), keySize)
	}
	seal, err := hkdf.Key(sha256.New, dataKey, nil, "sekisho seal", keySize)
	if err != nil {
		return nil, err
	}
	digest, err := hkdf.Key(sha256.New, dataKey, nil, "sekisho digest", keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Sealer{aead: aead, digest: digest}, err
}

// sealVersion is the first byte of what Seal makes: AES-256-GCM, with the
// nonce before the ciphertext.
const sealVersion = 1

// Seal encrypts a secret of a document. Only Open with the same kind and id
// opens it, so a sealed value that is moved to another document is worthless.
func (s *Sealer) Seal(kind, id string, plain []byte) ([]byte, error) {
	return s.aead.Seal([]byte{sealVersion}, nil, plain, place(kind, id)), nil
}

// Open decrypts what Seal made.
func (s *Sealer) Open(kind, id string, sealed []byte) ([]byte, error) {
	box, ok := bytes.CutPrefix(sealed, []byte{sealVersion})
	if !ok {
		return nil, fmt.Errorf("%s %q: not a sealed value of a known version", kind, id)
	}
	plain, err := s.aead.Open(nil, nil, box, place(kind, id))
	if err != nil {
		return nil, fmt.Errorf("%s %q: the sealed value was changed, belongs to another document "+
			"or is sealed under another data key", kind, id)
	}
	return plain, nil
}

// Digest is a keyed digest of a secret, for finding the document that has it
// without opening each. Digests for different purposes cannot be compared.
func (s *Sealer) Digest(purpose string, secret []byte) [32]byte {
	mac := hmac.New(sha256.New, s.digest)
	mac.Write(framed(purpose))
	mac.Write(secret)
	return [32]byte(mac.Sum(nil))
}

// place is the additional data that ties a sealed value to its document.
func place(kind, id string) []byte { return append(framed(kind), fold(id)...) }

// framed puts the length first, so that no other split of the same bytes reads
// the same.
func framed(s string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}
