package entra

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
)

// kindSession is the store's kind of a browser's session. Its id is the digest
// of what the browser's cookie says.
const kindSession = "browserSession"

// Lives of a browser's session, since it was last used. Source: entra-docs
// concept-session-lifetime.md: 24 hours, 90 days with "Stay signed in".
const (
	sessionLife    = 24 * time.Hour
	PersistentLife = 90 * 24 * time.Hour // of the cookie, too
	sessionTouch   = time.Hour           // how exactly its last use is known
)

// Session is who is signed in in a browser.
type Session struct {
	// ID names the session in tokens (sid). It is no secret.
	ID         string           `json:"id"`
	Accounts   []SessionAccount `json:"accounts"`
	Persistent bool             `json:"persistent"`
	Used       time.Time        `json:"used"`
}

// SessionAccount is one account of a session.
type SessionAccount struct {
	User          string    `json:"user"` // object id of the home account
	Authenticated time.Time `json:"authenticated"`
	Methods       []string  `json:"methods"`
	// Apps are the application ids that it signed in to here: they are told of
	// the sign-out.
	Apps []string `json:"apps,omitempty"`

	// Home is the account; set by Session.
	Home *Principal `json:"-"`
}

// Now is the directory's clock, which sign-ins bear.
func (d *Directory) Now() time.Time { return d.now().UTC() }

func (d *Directory) sessionID(cookie string) string {
	digest := d.seal.Digest("browser session", []byte(cookie))
	return hex.EncodeToString(digest[:])
}

// Session is the one that a cookie names, with the accounts that may still be
// used; nil if there is none.
func (d *Directory) Session(ctx context.Context, cookie string) (*Session, error) {
	if cookie == "" {
		return nil, nil
	}
	s, err := d.loadSession(ctx, cookie)
	if err != nil || s == nil {
		return nil, err
	}
	var good []SessionAccount
	for _, a := range s.Accounts {
		if a.Home, err = d.Principal(ctx, a.User); err != nil {
			return nil, err
		}
		if a.Home != nil && a.Home.user != nil && d.stillGood(a.Home, a.Authenticated) == nil {
			good = append(good, a)
		}
	}
	s.Accounts = good
	return s, nil
}

func (d *Directory) loadSession(ctx context.Context, cookie string) (*Session, error) {
	var s Session
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		s, _, err = store.Load[Session](tx, kindSession, d.sessionID(cookie))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && d.sessionOver(&s) {
		return nil, nil
	}
	return &s, err
}

func (d *Directory) sessionOver(s *Session) bool {
	life := sessionLife
	if s.Persistent {
		life = PersistentLife
	}
	return d.now().After(s.Used.Add(life))
}

// SignedIn adds an account to the browser's session, which gets another cookie:
// one that somebody planted before the sign-in is worth nothing after it.
func (d *Directory) SignedIn(ctx context.Context, cookie string, a SessionAccount, keep bool) (string, *Session, error) {
	before := &Session{ID: newID()}
	if cookie != "" {
		s, err := d.loadSession(ctx, cookie)
		if err != nil {
			return "", nil, err
		}
		if s != nil {
			before = s
		}
	}
	s := *before
	s.Accounts = append(slices.DeleteFunc(slices.Clone(s.Accounts), func(o SessionAccount) bool { return strings.EqualFold(o.User, a.User) }), a)
	s.Persistent, s.Used = keep, d.now().UTC()
	next := newID() + newID()
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		if cookie != "" {
			if err := tx.Delete(kindSession, d.sessionID(cookie)); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return put(tx, "", kindSession, d.sessionID(next), s, nil)
	})
	return next, &s, err
}

// Visited writes down that an account of the session signed in to an
// application.
func (d *Directory) Visited(ctx context.Context, cookie, user, app string) error {
	return d.changeSession(ctx, cookie, func(s *Session) bool {
		changed := d.now().Sub(s.Used) > sessionTouch
		for i, a := range s.Accounts {
			if strings.EqualFold(a.User, user) && !slices.Contains(a.Apps, app) {
				s.Accounts[i].Apps, changed = append(a.Apps, app), true
			}
		}
		return changed
	})
}

// SignOut ends an account's part of the session, or the whole of it when user is
// empty, and names the pages of the applications that want to know (single
// sign-out). Source: OpenID Connect Front-Channel Logout 1.0; entra-docs
// v2-protocols-oidc.md, "Single sign-out".
func (d *Directory) SignOut(ctx context.Context, cookie, user string) (tell []string, err error) {
	var apps []string
	err = d.changeSession(ctx, cookie, func(s *Session) bool {
		apps = nil
		s.Accounts = slices.DeleteFunc(s.Accounts, func(a SessionAccount) bool {
			out := user == "" || strings.EqualFold(a.User, user)
			if out {
				apps = append(apps, a.Apps...)
			}
			return out
		})
		return true
	})
	if err != nil {
		return nil, err
	}
	for _, app := range apps {
		a, err := look(ctx, d, func() *Application { a, _ := d.registration(app); return a })
		if err != nil {
			return nil, err
		}
		if a != nil && strings.HasPrefix(a.Web.LogoutURL, "https://") && !slices.Contains(tell, a.Web.LogoutURL) {
			tell = append(tell, a.Web.LogoutURL)
		}
	}
	return tell, nil
}

// changeSession changes a session, if there is one; without accounts it ends.
func (d *Directory) changeSession(ctx context.Context, cookie string, change func(*Session) bool) error {
	if cookie == "" {
		return nil
	}
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		s, record, err := store.Load[Session](tx, kindSession, d.sessionID(cookie))
		if err != nil || d.sessionOver(&s) || !change(&s) {
			return err
		}
		if len(s.Accounts) == 0 {
			return tx.Delete(kindSession, record.ID)
		}
		s.Used = d.now().UTC()
		_, err = store.Save(tx, record, s)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Sweep deletes sessions and chains of refresh tokens that are over.
func (d *Directory) Sweep(ctx context.Context) error {
	err := d.sweep(ctx, kindSession, func(record store.Record) (bool, error) {
		s, err := store.Decode[Session](record)
		return d.sessionOver(&s), err
	})
	if err != nil {
		return err
	}
	return d.sweepGrants(ctx, d.now())
}

// Hint is the name of the user that an ID token of this directory is about, also
// of one that expired; empty for any other text.
func (d *Directory) Hint(ctx context.Context, idToken string) (name string, err error) {
	if err := d.follower.Sync(ctx); err != nil {
		return "", err
	}
	var says claims
	if _, err := d.parse(idToken); err != nil {
		return "", nil
	}
	if _, _, err := parser.ParseUnverified(idToken, &says); err != nil {
		return "", nil
	}
	p, err := d.Principal(ctx, says.Object)
	if err != nil || p == nil {
		return "", err
	}
	if p.Home != nil {
		if p, err = d.Principal(ctx, p.Home.Object); err != nil || p == nil {
			return "", err
		}
	}
	return p.Name, nil
}

// RedirectOf tells whether a URI is a redirect URI of one of the applications.
func (d *Directory) RedirectOf(ctx context.Context, apps []string, uri string) (bool, error) {
	for _, app := range apps {
		a, err := look(ctx, d, func() *Application { a, _ := d.registration(app); return a })
		if err != nil {
			return false, err
		}
		if a == nil {
			continue
		}
		if _, err := (&Client{AppID: app, app: a}).Redirect(uri); err == nil {
			return true, nil
		}
	}
	return false, nil
}
