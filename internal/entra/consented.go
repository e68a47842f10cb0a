package entra

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// WantedScope is a delegated permission that a client asks for and nobody has
// consented to yet.
type WantedScope struct {
	PermissionScope
	Resource string // display name

	resource string // object id of the resource's service principal
}

// Key tells a permission from all others.
func (w WantedScope) Key() string { return strings.ToLower(w.resource + "/" + w.Value) }

// ConsentNeed is what a client asks of a user, or of an administrator.
type ConsentNeed struct {
	Wanted []WantedScope
	// May tells whether the user may consent for themself, MayForAll whether for
	// the whole organization.
	May, MayForAll bool

	tenant  *Tenant
	subject *Principal
}

// consenters may consent for the organization. Source: entra-docs
// permissions-reference.md, microsoft.directory/servicePrincipals/managePermissionGrantsForAll.
var consenters = []string{GlobalAdministrator, ApplicationAdministrator, CloudApplicationAdministrator}

// consented are the permissions of a resource that a client may use for a user,
// all of them, whichever it asks for. It fails when it asks for one that nobody
// consented to: with 65001. Errors are *Error.
func (d *Directory) consented(ctx context.Context, c *Client, tenant *Tenant, user *Principal, r Resource, asked Asked) ([]string, error) {
	if err := d.follower.Sync(ctx); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if sp := d.apps[appKey(tenant.ID, c.AppID)]; sp != nil && !sp.Enabled {
		return nil, fail(7000112, "unauthorized_client", "Application '%s'(%s) is disabled.", c.AppID, c.Name)
	}
	if err := d.open(tenant, r, asked.resource()); err != nil {
		return nil, err
	}
	var granted []string
	var err error
	if c.known != nil && r.app == nil {
		granted, err = c.known.trusted(r, asked)
	} else {
		var wanted []WantedScope
		if granted, wanted, err = d.wanted(c, tenant, user, r, asked); err == nil && len(wanted) > 0 {
			err = consentRequired(c)
		}
	}
	if err == nil {
		err = d.assigned(c, tenant, user)
	}
	return granted, err
}

// trusted are the permissions that one of Microsoft's clients has of one of
// Microsoft's resources. It gets no others.
func (c *firstPartyClient) trusted(r Resource, asked Asked) ([]string, error) {
	granted := c.permissions(r)
	for _, p := range asked.Permissions {
		if !slices.ContainsFunc(granted, func(g string) bool { return strings.EqualFold(g, p) }) {
			return nil, fail(65002, "invalid_grant", "Consent between first party application '%s' and first party resource '%s' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.", c.appID, r.AppID)
		}
	}
	return granted, nil
}

// open refuses tokens for a resource that the tenant's administrator disabled.
// The caller holds the view.
// Source: learn.microsoft.com/troubleshoot, "Required resource is disabled".
func (d *Directory) open(tenant *Tenant, r Resource, name string) error {
	sp := d.apps[appKey(tenant.ID, r.AppID)]
	if sp == nil || sp.Enabled {
		return nil
	}
	return fail(500014, "invalid_resource", "The service principal for resource '%s' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.", name)
}

func consentRequired(c *Client) *Error {
	e := fail(65001, "invalid_grant", "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", c.AppID, c.Name)
	e.Sub = "consent_required"
	return e
}

// permissions are those of a resource of Microsoft's that the client was given
// beforehand.
func (c *firstPartyClient) permissions(r Resource) []string {
	if r.AppID == GraphAppID {
		return strings.Fields(c.graph)
	}
	return []string{"user_impersonation"}
}

// assigned refuses a user who is not assigned to an application that only takes
// those who are. The caller holds the view.
func (d *Directory) assigned(c *Client, tenant *Tenant, user *Principal) error {
	sp := d.apps[appKey(tenant.ID, c.AppID)]
	if sp == nil || !sp.assignmentRequired {
		return nil
	}
	holders := []string{strings.ToLower(user.ID)}
	for group := range d.memberOf[holders[0]] {
		holders = append(holders, group)
	}
	for _, holder := range holders {
		for id := range d.consents.byAssignee[holder] {
			if strings.EqualFold(d.consents.roles[id].Resource, sp.ID) {
				return nil
			}
		}
	}
	return fail(50105, "invalid_grant", "Your administrator has configured the application %s ('%s') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '%s' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application.", c.Name, c.AppID, user.Name)
}

// wanted holds what a client asks for against what was consented to. The caller
// holds the view.
func (d *Directory) wanted(c *Client, tenant *Tenant, user *Principal, r Resource, asked Asked) (granted []string, wanted []WantedScope, err error) {
	target := d.apps[appKey(tenant.ID, r.AppID)]
	graph := d.apps[appKey(tenant.ID, GraphAppID)]
	if target == nil || graph == nil {
		return nil, nil, resourceNotFound(asked.resource(), tenant.DisplayName)
	}
	of := func(resource *Principal) []string { return d.grantedTo(c, tenant, user, resource) }
	granted = of(target)
	want := func(resource *Principal, name string) error {
		has := func(name string) bool {
			return slices.ContainsFunc(of(resource), func(g string) bool { return strings.EqualFold(g, name) })
		}
		// Who may read the profile may know who it is.
		if has(name) || resource == graph && (name == "openid" || name == "profile") && has("User.Read") {
			return nil
		}
		for _, s := range d.scopesOf(resource) {
			if s.Enabled && strings.EqualFold(s.Value, name) {
				wanted = append(wanted, WantedScope{s, resource.Name, resource.ID})
				return nil
			}
		}
		return fail(650053, "invalid_client", "The application '%s' asked for scope '%s' that doesn't exist on the resource '%s'. Contact the app vendor.", c.Name, name, resource.AppID)
	}
	for _, name := range asked.OpenID {
		if c.known == nil {
			err = errors.Join(err, want(graph, name))
		}
	}
	for _, name := range asked.Permissions {
		err = errors.Join(err, want(target, name))
	}
	if err != nil || !asked.Default || len(granted) > 0 {
		return granted, wanted, first(err)
	}
	// .default asks for what the registration lists, of all resources.
	listed := false
	if c.app != nil {
		for _, required := range c.app.RequiredAccess {
			resource := d.apps[appKey(tenant.ID, required.Resource)]
			for _, s := range d.scopesOf(resource) {
				for _, a := range required.Access {
					if a.Type == "Scope" && strings.EqualFold(a.ID, s.ID) {
						listed = listed || resource == target
						if err := want(resource, s.Value); err != nil {
							return nil, nil, err
						}
					}
				}
			}
		}
	}
	if !listed {
		return nil, nil, fail(650057, "invalid_resource", "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: %s(%s). Resource value from request: %s. Resource app ID: %s.", c.AppID, c.Name, asked.resource(), r.AppID)
	}
	return granted, wanted, nil
}

// first is the first of joined errors.
func first(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// grantedTo are the permissions of a resource that a client has for a user: by
// consent, or because the resource trusts the client. The caller holds the view.
func (d *Directory) grantedTo(c *Client, tenant *Tenant, user, resource *Principal) []string {
	var all []string
	if client := d.apps[appKey(tenant.ID, c.AppID)]; client != nil {
		all = d.delegated(client.ID, user.ID, resource.ID)
	}
	app := d.registered[strings.ToLower(resource.AppID)]
	if app == nil {
		return all
	}
	for _, raw := range app.API.PreAuthorized {
		var trusted struct {
			AppID       string   `json:"appId"`
			Permissions []string `json:"delegatedPermissionIds"`
		}
		if json.Unmarshal(raw, &trusted) != nil || !strings.EqualFold(trusted.AppID, c.AppID) {
			continue
		}
		for _, s := range d.scopesOf(resource) {
			if s.Enabled && slices.ContainsFunc(trusted.Permissions, func(id string) bool { return strings.EqualFold(id, s.ID) }) && !slices.Contains(all, s.Value) {
				all = append(all, s.Value)
			}
		}
	}
	return all
}

// scopesOf are the delegated permissions that a resource defines. The caller
// holds the view.
func (d *Directory) scopesOf(resource *Principal) []PermissionScope {
	if resource == nil {
		return nil
	}
	if offer, ok := Offered(resource.AppID); ok {
		return offer.Scopes
	}
	app := d.registered[strings.ToLower(resource.AppID)]
	if app == nil {
		return nil
	}
	var all []PermissionScope
	for _, raw := range app.API.Scopes {
		var s PermissionScope
		if json.Unmarshal(raw, &s) == nil {
			all = append(all, s)
		}
	}
	return all
}

// ConsentNeed is what must be consented to before a request is answered; with
// again, all that it asks for. Errors are *Error.
func (d *Directory) ConsentNeed(ctx context.Context, c *Client, r AuthorizeRequest, home *Principal, again bool) (*ConsentNeed, error) {
	asked, err := c.Check(r)
	if err != nil {
		return nil, err
	}
	tenant, subject, err := d.subjectOf(ctx, r.Authority, home)
	if err != nil {
		return nil, err
	}
	resource, _, err := d.resource(ctx, tenant, asked.resource())
	if err != nil {
		return nil, err
	}
	need := &ConsentNeed{tenant: tenant, subject: subject, May: true}
	if c.known != nil && resource.app == nil {
		return need, nil // it has all that it may ever have
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	of := subject
	if again {
		of = &Principal{Tenant: tenant.ID} // who has consented to nothing for themself
	}
	if _, need.Wanted, err = d.wanted(c, tenant, of, resource, asked); err != nil {
		return nil, err
	}
	if len(need.Wanted) > 0 {
		need.Wanted = d.withBasics(c, tenant, of, need.Wanted)
	}
	for _, role := range d.rolesOf(subject.ID) {
		need.MayForAll = need.MayForAll || slices.Contains(consenters, role)
	}
	for _, w := range need.Wanted {
		need.May = need.May && (w.Type != "Admin" || need.MayForAll)
	}
	return need, nil
}

// withBasics adds to the first consent what an application always needs: to stay
// signed in, and to know who it is. Source: entra-docs scopes-oidc.md, "openid",
// "the offline_access and User.Read permissions are automatically included".
func (d *Directory) withBasics(c *Client, tenant *Tenant, user *Principal, wanted []WantedScope) []WantedScope {
	graph := d.apps[appKey(tenant.ID, GraphAppID)]
	if graph == nil || len(d.grantedTo(c, tenant, user, graph)) > 0 {
		return wanted
	}
	for _, s := range d.scopesOf(graph) {
		if (s.Value == "offline_access" || s.Value == "User.Read") && !slices.ContainsFunc(wanted, func(w WantedScope) bool { return w.ID == s.ID }) {
			wanted = append(wanted, WantedScope{s, graph.Name, graph.ID})
		}
	}
	return wanted
}

// GrantConsent writes down what a user agreed to, for themself or for all. An
// application of another tenant gets its service principal in this one.
func (d *Directory) GrantConsent(ctx context.Context, c *Client, need *ConsentNeed, all bool) error {
	if !need.May || all && !need.MayForAll {
		return AdminConsentNeeded(c.Name)
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		tenant := need.tenant.ID
		id := ""
		record, err := tx.Lookup(KindServicePrincipal, store.Key{Name: "appId", Value: tenant + "/" + c.AppID})
		switch {
		case err == nil:
			id = record.ID
		case errors.Is(err, store.ErrNotFound):
			id = uuid.NewString()
			sp := ServicePrincipal{ID: id, AppID: c.AppID, DisplayName: c.Name, Type: "Application", AccountEnabled: true, Names: []string{c.AppID}, Created: d.now().UTC()}
			if err := PutServicePrincipal(tx, tenant, sp); err != nil {
				return err
			}
		default:
			return err
		}
		user := need.subject.ID
		if all {
			user = ""
		}
		for _, w := range need.Wanted {
			if err := Consent(tx, tenant, id, user, w.resource, []string{w.Value}); err != nil {
				return err
			}
		}
		return nil
	})
}
