package entra

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/crypto/argon2"

	"sekisho/internal/store"
)

// Smart lockout. Source: entra-docs howto-password-smart-lockout.md: ten failures
// lock an account for a minute, later ones for longer; the same wrong password
// again does not count. The bound by source is ours.
const (
	failuresBeforeLock   = 10
	firstLock            = time.Minute
	longestLock          = time.Hour
	sourceFailures       = 100
	sourceWindow         = 10 * time.Minute
	trackedAccounts      = 16384
	rememberedPasswords  = 3
	failuresAreForgotten = 24 * time.Hour
)

// lockout counts failures of accounts, which may not exist, and of addresses. It
// is in memory: a restart forgets it, which nobody outside can bring about.
type lockout struct {
	mu       sync.Mutex
	accounts *lru.Cache[string, *failures]
	sources  *lru.Cache[netip.Prefix, *failures]
}

type failures struct {
	count  int
	locks  int
	first  time.Time
	last   time.Time
	until  time.Time
	recent [][32]byte // digests of the last wrong passwords
}

func newLockout() (*lockout, error) {
	accounts, err := lru.New[string, *failures](trackedAccounts)
	if err != nil {
		return nil, err
	}
	sources, err := lru.New[netip.Prefix, *failures](trackedAccounts)
	return &lockout{accounts: accounts, sources: sources}, err
}

// source is what counts as one address: a network of IPv6 that one customer has.
func source(remote netip.Addr) netip.Prefix {
	remote = remote.Unmap()
	bits := 32
	if remote.Is6() {
		bits = 64
	}
	p, _ := remote.Prefix(bits)
	return p
}

// locked tells whether an account or an address must wait.
func (l *lockout) locked(account string, remote netip.Addr, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.accounts.Get(account); ok && now.Before(f.until) {
		return fail(50053, "invalid_grant", "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.")
	}
	return l.blocked(remote, now)
}

// lockedFrom tells whether an address must wait.
func (l *lockout) lockedFrom(remote netip.Addr, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked(remote, now)
}

// blocked is lockedFrom for who holds the lockout.
func (l *lockout) blocked(remote netip.Addr, now time.Time) error {
	if f, ok := l.sources.Get(source(remote)); ok && f.count >= sourceFailures && now.Sub(f.first) <= sourceWindow {
		return fail(50053, "invalid_grant", "Sign-in was blocked because it came from an IP address with too many failed sign-ins.")
	}
	return nil
}

// countSource counts a failure of an address, within windows that do not slide:
// those behind one address mistype now and then, all day. The caller holds the
// lockout.
func (l *lockout) countSource(remote netip.Addr, now time.Time) {
	key := source(remote)
	f, ok := l.sources.Get(key)
	if !ok || now.Sub(f.first) > sourceWindow {
		f = &failures{first: now}
		l.sources.Add(key, f)
	}
	f.count++
}

// failed counts a failure.
func (l *lockout) failed(account string, remote netip.Addr, password [32]byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.countSource(remote, now)
	f, ok := l.accounts.Get(account)
	if !ok || now.Sub(f.last) > failuresAreForgotten {
		f = &failures{}
		l.accounts.Add(account, f)
	}
	f.last = now
	for _, seen := range f.recent {
		if subtle.ConstantTimeCompare(seen[:], password[:]) == 1 {
			return
		}
	}
	if f.recent = append(f.recent, password); len(f.recent) > rememberedPasswords {
		f.recent = f.recent[1:]
	}
	if f.count++; f.count >= failuresBeforeLock {
		f.until = now.Add(min(firstLock<<min(f.locks, 10), longestLock))
		f.locks++
	}
}

func (l *lockout) succeeded(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accounts.Remove(account)
}

// hashing bounds how many passwords are hashed at once: each takes 64 MB.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()))

// nobodysHash is hashed against where there is no password, so that the answer
// takes as long.
var nobodysHash = sync.OnceValue(func() string { return HashPassword(newID()) })

// SignInWithPassword finds the home account of a name and checks its password.
// Who does not know the password learns nothing: whether there is such an
// account, or what state it is in. Errors are *Error.
func (d *Directory) SignInWithPassword(ctx context.Context, name, password string, remote netip.Addr) (*Principal, error) {
	account := strings.ToLower(strings.TrimSpace(name))
	if err := d.lockout.locked(account, remote, d.now()); err != nil {
		return nil, err
	}
	p, err := look(ctx, d, func() *Principal { return d.byUPN[account] })
	if err != nil {
		return nil, err
	}
	hash := nobodysHash()
	if p != nil && p.Home == nil && p.user.ExternalState == "" && p.user.PasswordHash != "" { // guests sign in at home
		hash = p.user.PasswordHash
	}
	good, err := checkPassword(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	// Many may have been tried at once, and have locked the account meanwhile: who
	// is late does not learn whether theirs is right.
	if err := d.lockout.locked(account, remote, d.now()); err != nil {
		return nil, err
	}
	if !good {
		d.lockout.failed(account, remote, d.seal.Digest("wrong password", []byte(password)), d.now())
		return nil, fail(50126, "invalid_grant", "Error validating credentials due to invalid username or password.")
	}
	d.lockout.succeeded(account)
	if !p.Enabled {
		return nil, fail(50057, "invalid_grant", "The user account is disabled.")
	}
	if p.user.ForceChange {
		return p, fail(50055, "invalid_grant", "The password is expired.")
	}
	return p, nil
}

// ErrWeakPassword is what Entra's password policy says no to.
var ErrWeakPassword = errors.New("the password is too weak")

// ChangePassword gives a user who proved the old password another one. Sessions
// and tokens of before end. Errors: ErrWeakPassword.
func (d *Directory) ChangePassword(ctx context.Context, user, password string) error {
	if !StrongPassword(password) {
		return ErrWeakPassword
	}
	hash := HashPassword(password)
	return d.store.Update(ctx, func(tx *store.Tx) error {
		u, record, err := store.Load[User](tx, KindUser, user)
		if err != nil {
			return err
		}
		u.PasswordHash, u.ForceChange = hash, false
		u.ValidFrom = d.now().UTC()
		return PutUser(tx, record.Tenant, u)
	})
}

// checkPassword compares in time that does not depend on the password.
func checkPassword(ctx context.Context, phc, password string) (bool, error) {
	var version, memory, passes, threads uint32
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("a password hash is not of argon2id")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil || version != argon2.Version {
		return false, fmt.Errorf("a password hash has parameters %s %s", parts[2], parts[3])
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, err
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, err
	}
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// failedFrom counts a failure of an address alone.
func (l *lockout) failedFrom(remote netip.Addr, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.countSource(remote, now)
}
