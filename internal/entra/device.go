package entra

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Device codes. Source: entra-docs v2-oauth2-device-code.md: 15 minutes, an
// interval of 5 seconds.
const (
	DeviceLife     = 15 * time.Minute
	DeviceInterval = 5 * time.Second
	pendingDevices = 10000
	// Anybody may begin one: these bounds are ours.
	devicesOfSource = 300 // within sourceWindow
	maxDeviceScope  = 4096
	// userCodeLetters leave out what reads alike; a code has 9 of them, 45 bits.
	userCodeLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	userCodeLength  = 9
)

// devices are the sign-ins that wait for a user at another machine. They are in
// memory, and bounded: anybody may begin one.
type devices struct {
	mu     sync.Mutex
	byCode *lru.Cache[[32]byte, *deviceSignIn] // by digest of the device code
	byUser map[string]*deviceSignIn            // by user code
	begun  *lru.Cache[netip.Prefix, *begunBy]
}

// begunBy counts what an address has begun in a window.
type begunBy struct {
	count int
	first time.Time
}

// allow counts a sign-in that an address begins, unless it has begun too many.
func (d *devices) allow(remote netip.Addr, now time.Time) bool {
	key := source(remote)
	b, ok := d.begun.Get(key)
	if !ok || now.Sub(b.first) > sourceWindow {
		b = &begunBy{first: now}
		d.begun.Add(key, b)
	}
	b.count++
	return b.count <= devicesOfSource
}

type deviceSignIn struct {
	PendingDevice
	asked    Asked
	begun    time.Time
	answered bool
	declined bool
	used     bool
	account  SessionAccount
}

// PendingDevice is a sign-in that a device waits for.
type PendingDevice struct {
	UserCode, Client, Authority string
	Scope                       string // as asked: a resource at v1
	Version                     int
}

func newDevices() (*devices, error) {
	d := &devices{byUser: map[string]*deviceSignIn{}}
	var err error
	if d.begun, err = lru.New[netip.Prefix, *begunBy](trackedAccounts); err != nil {
		return nil, err
	}
	d.byCode, err = lru.NewWithEvict(pendingDevices, func(_ [32]byte, s *deviceSignIn) { delete(d.byUser, s.UserCode) })
	return d, err
}

// DeviceCode is what a device gets to begin with.
type DeviceCode struct{ DeviceCode, UserCode string }

// BeginDevice begins a sign-in at another machine. Errors are *Error.
func (d *Directory) BeginDevice(ctx context.Context, authority, clientID string, asked Asked, scope string, version int, remote netip.Addr) (*DeviceCode, error) {
	c, err := d.Client(ctx, authority, clientID)
	if err != nil {
		return nil, err
	}
	if !c.public() {
		return nil, needsCredential()
	}
	if len(scope) > maxDeviceScope {
		return nil, MalformedRequest()
	}
	code := DeviceCode{DeviceCode: newID() + newID(), UserCode: newUserCode()}
	d.devices.mu.Lock()
	defer d.devices.mu.Unlock()
	if !d.devices.allow(remote, d.now()) { // else one could push out those that others wait for
		e := fail(90055, "temporarily_unavailable", "The tenant exceeded throttling limit: too many sign-ins at a device were begun from this address.")
		e.Status = http.StatusTooManyRequests
		return nil, e
	}
	for d.devices.byUser[code.UserCode] != nil {
		code.UserCode = newUserCode()
	}
	s := &deviceSignIn{PendingDevice: PendingDevice{code.UserCode, c.AppID, authority, scope, version}, asked: asked, begun: d.now()}
	d.devices.byUser[s.UserCode] = s
	d.devices.byCode.Add(d.deviceDigest(code.DeviceCode), s)
	return &code, nil
}

func needsCredential() *Error {
	return fail(7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

func (d *Directory) deviceDigest(code string) [32]byte {
	return d.seal.Digest("device code", []byte(code))
}

func newUserCode() string {
	raw := make([]byte, userCodeLength)
	rand.Read(raw)
	for i, b := range raw {
		raw[i] = userCodeLetters[int(b)%len(userCodeLetters)] // 32 of them divide 256
	}
	return string(raw)
}

// Device finds the sign-in that a user code stands for. Wrong codes count against
// the address, so that nobody finds one by trying. Errors are *Error.
func (d *Directory) Device(userCode string, remote netip.Addr) (PendingDevice, error) {
	userCode = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(userCode))
	if err := d.lockout.lockedFrom(remote, d.now()); err != nil {
		return PendingDevice{}, err
	}
	d.devices.mu.Lock()
	defer d.devices.mu.Unlock()
	s, err := d.waiting(userCode)
	if err != nil {
		d.lockout.failedFrom(remote, d.now())
		return PendingDevice{}, err
	}
	return s.PendingDevice, nil
}

// waiting finds a sign-in that nobody has answered. The caller holds the devices.
func (d *Directory) waiting(userCode string) (*deviceSignIn, error) {
	s := d.devices.byUser[userCode]
	if s == nil || s.answered || d.now().After(s.begun.Add(DeviceLife)) {
		return nil, fail(70019, "bad_verification_code", "The verification code expired or does not exist. Begin the sign-in at your device again.")
	}
	return s, nil
}

// AnswerDevice lets a device have the tokens of an account, or not. A code is
// answered once. Errors are *Error.
func (d *Directory) AnswerDevice(userCode string, a *SessionAccount) error {
	d.devices.mu.Lock()
	defer d.devices.mu.Unlock()
	s, err := d.waiting(userCode)
	if err != nil {
		return err
	}
	if s.answered, s.declined = true, a == nil; a != nil {
		s.account = *a
	}
	return nil
}

// RedeemDevice is the device code grant, which a device asks for again and again
// until the user has answered. Errors are *Error.
// Source: v2-oauth2-device-code.md, "Expected errors".
func (d *Directory) RedeemDevice(ctx context.Context, req TokenRequest, deviceCode string) (*UserToken, error) {
	c, err := d.Client(ctx, req.Authority, req.ClientID)
	if err != nil {
		return nil, err
	}
	by, err := d.proveClient(ctx, c, req, c.public())
	if err != nil {
		return nil, err
	}
	s, err := d.answered(c, deviceCode, false)
	if err != nil {
		return nil, err
	}
	home, err := d.homeOf(ctx, s.account.User)
	if err != nil {
		return nil, err
	}
	// The page that the user saw named the tenant.
	begun, _, err := d.subjectOf(ctx, s.Authority, home)
	if err != nil {
		return nil, err
	}
	if asked, err := d.tenantOf(ctx, req.Authority, home); err != nil || asked.ID != begun.ID {
		return nil, cmp.Or(err, error(fail(70018, "bad_verification_code", "The device code is of tenant '%s' and can't be redeemed in another.", begun.ID)))
	}
	if s, err = d.answered(c, deviceCode, true); err != nil {
		return nil, err
	}
	g := grant{ID: newID(), User: home.ID, Client: c.AppID, Platform: c.platform(), Scope: s.asked,
		Authenticated: s.account.Authenticated, Methods: s.account.Methods, Created: d.now().UTC()}
	in := signedIn{home: home, methods: s.account.Methods, authTime: s.account.Authenticated, grant: "device_code"}
	return d.answer(ctx, c, g, in, req, s.asked, by)
}

// answered is the answer to a device code, which is taken once.
func (d *Directory) answered(c *Client, deviceCode string, take bool) (*deviceSignIn, error) {
	d.devices.mu.Lock()
	defer d.devices.mu.Unlock()
	s, ok := d.devices.byCode.Get(d.deviceDigest(deviceCode))
	switch {
	case !ok || !strings.EqualFold(s.Client, c.AppID):
		return nil, fail(70018, "bad_verification_code", "Invalid verification code due to user typing in wrong user code for device code flow. Authorization is not approved.")
	case s.used:
		return nil, fail(70018, "bad_verification_code", "The device code was redeemed before.")
	case d.now().After(s.begun.Add(DeviceLife)):
		return nil, fail(70020, "expired_token", "The device code has expired. The sign-in was not completed in time.")
	case !s.answered:
		return nil, fail(70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	case s.declined:
		return nil, fail(70017, "authorization_declined", "The end user denied the authorization request.")
	}
	s.used = take
	return s, nil
}
