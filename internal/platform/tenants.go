package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// TenantRequest asks for a tenant.
type TenantRequest struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
	Admin  string `json:"admin,omitempty"` // a user principal name; admin@Domain by default
}

// Tenant is a directory, as commands show it. Its administrator is told of when
// it is made, and never again.
type Tenant struct {
	ID            string         `json:"tenantId"`
	Name          string         `json:"displayName"`
	Domains       []string       `json:"domains"` // the default one first
	Administrator *Administrator `json:"administrator,omitempty"`
}

// Administrator is a tenant's first Global Administrator.
type Administrator struct {
	UserPrincipalName string `json:"userPrincipalName"`
	ObjectID          string `json:"objectId"`
	Password          string `json:"password"`
}

func (a *Administrator) user(now time.Time) entra.User {
	return entra.User{ID: a.ObjectID, UserPrincipalName: a.UserPrincipalName, DisplayName: "Administrator",
		AccountEnabled: true, PasswordHash: entra.HashPassword(a.Password), Created: now}
}

var (
	domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	// userName is what Entra takes before the @.
	// Source: user-post-users.md, userPrincipalName; # is for guests.
	userName = regexp.MustCompile(`^[A-Za-z0-9'.\-_!^~]{1,64}$`)
)

// initialSuffix is what the domain that a tenant is made with ends in.
const initialSuffix = ".onmicrosoft.com"

// checkDomain gives a domain in lower case.
func checkDomain(domain string) (string, error) {
	domain = strings.ToLower(domain)
	if !domainName.MatchString(domain) || len(domain) > 253 {
		return "", fmt.Errorf("%q is no domain name, such as fabrikam.com", domain)
	}
	if label, ok := strings.CutSuffix(domain, initialSuffix); ok && strings.ContainsAny(label, "-.") {
		return "", fmt.Errorf("%q is no initial domain: NAME%s has only letters and digits in NAME", domain, initialSuffix)
	}
	return domain, nil
}

// domainsOf are the domains of a new tenant: its own, and NAME.onmicrosoft.com by
// the first part of that, or by all of it where that is taken.
func domainsOf(tx *store.Tx, domain string) ([]string, error) {
	if err := domainFree(tx, domain); err != nil || strings.HasSuffix(domain, initialSuffix) {
		return []string{domain}, err
	}
	label, _, _ := strings.Cut(domain, ".")
	plain := strings.NewReplacer("-", "", ".", "")
	initial := plain.Replace(label) + initialSuffix
	err := domainFree(tx, initial)
	if err != nil {
		initial = plain.Replace(domain) + initialSuffix
		err = domainFree(tx, initial)
	}
	return []string{domain, initial}, err
}

// CreateTenant makes a tenant and its administrator, whose first sign-in asks for
// another password.
func (p *Platform) CreateTenant(ctx context.Context, in TenantRequest) (Tenant, error) {
	t := Tenant{ID: uuid.NewString(), Name: strings.TrimSpace(in.Name)}
	if t.Name == "" || len(t.Name) > 256 {
		return Tenant{}, errors.New("a tenant needs a name of at most 256 bytes")
	}
	domain, err := checkDomain(in.Domain)
	if err != nil {
		return Tenant{}, err
	}
	upn := cmp.Or(in.Admin, "admin@"+domain)
	if name, at, _ := strings.Cut(upn, "@"); !userName.MatchString(name) || !strings.EqualFold(at, domain) {
		return Tenant{}, fmt.Errorf("the administrator %q must be NAME@%s", upn, domain)
	}
	t.Administrator = &Administrator{UserPrincipalName: upn, ObjectID: uuid.NewString(), Password: entra.NewPassword()}
	admin := t.Administrator.user(p.opts.Now().UTC()) // hashed before the transaction, which may run again
	admin.ForceChange = true
	err = p.store.Update(ctx, func(tx *store.Tx) error {
		if t.Domains, err = domainsOf(tx, domain); err != nil {
			return err
		}
		return putTenant(tx, t, admin)
	})
	if err != nil {
		return Tenant{}, err
	}
	return t, nil
}

// putTenant writes a tenant with its administrator.
func putTenant(tx *store.Tx, t Tenant, admin entra.User) error {
	if err := entra.PutTenant(tx, entra.Tenant{ID: t.ID, DisplayName: t.Name, Domains: t.Domains}); err != nil {
		return err
	}
	if err := entra.PutUser(tx, t.ID, admin); err != nil {
		return err
	}
	return putGlobalAdministrator(tx, t.ID, admin.ID)
}

// domainFree refuses a domain that a tenant has.
func domainFree(tx *store.Tx, domain string) error {
	record, err := tx.Lookup(entra.KindTenant, store.Key{Name: "domain", Value: domain})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := store.Decode[entra.Tenant](record)
	if err != nil {
		return err
	}
	return fmt.Errorf("the domain %s is taken by the tenant %s (%s); give another --domain", domain, t.DisplayName, t.ID)
}

// Tenants are all tenants, by name.
func (p *Platform) Tenants(ctx context.Context) (all []Tenant, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) error {
		all, err = tenantsTx(tx)
		return err
	})
	return all, err
}

func tenantsTx(tx *store.Tx) ([]Tenant, error) {
	records, err := tx.List(entra.KindTenant, store.Query{})
	if err != nil {
		return nil, err
	}
	all := make([]Tenant, len(records))
	for i, record := range records {
		t, err := store.Decode[entra.Tenant](record)
		if err != nil {
			return nil, err
		}
		all[i] = Tenant{ID: t.ID, Name: t.DisplayName, Domains: t.Domains}
	}
	slices.SortFunc(all, func(a, b Tenant) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return all, nil
}

// findTenant finds a tenant by id, domain or name.
func findTenant(tx *store.Tx, name string) (Tenant, error) {
	all, err := tenantsTx(tx)
	if err != nil {
		return Tenant{}, err
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Domains[0]
	}
	if name == "" && len(all) > 1 {
		return Tenant{}, fmt.Errorf("there are %d tenants; say which with --tenant: %s", len(all), strings.Join(names, ", "))
	}
	is := func(t Tenant) bool {
		return name == "" || strings.EqualFold(t.ID, name) || strings.EqualFold(t.Name, name) ||
			slices.ContainsFunc(t.Domains, func(d string) bool { return strings.EqualFold(d, name) })
	}
	found := slices.DeleteFunc(all, func(t Tenant) bool { return !is(t) })
	switch len(found) {
	case 0:
		return Tenant{}, fmt.Errorf("there is no tenant %q; there are %s", name, strings.Join(names, ", "))
	case 1:
		return found[0], nil
	}
	return Tenant{}, fmt.Errorf("%d tenants are called %q; give the domain or the tenant id", len(found), name)
}
