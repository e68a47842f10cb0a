package graph

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// profile are the texts of a user that are kept and have no other meaning here.
// Source: resources/user.md.
var profile = []string{"jobTitle", "mobilePhone", "officeLocation", "preferredLanguage", "department", "companyName", "employeeId",
	"employeeType", "city", "state", "country", "postalCode", "streetAddress", "usageLocation", "userType"}

// Source: user-post-users.md.
func (s *Graph) createUser(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "User", false)
	if err != nil {
		return err
	}
	b.require("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")
	u := entra.User{ID: uuid.NewString(), Created: s.now().UTC()}
	password := readUser(b, &u)
	if password == "" {
		b.fail(api.BadRequest("Request_BadRequest", "passwordProfile.password", "A value is required for property 'password' of resource 'User'."))
	}
	if err := b.done(); err != nil {
		return err
	}
	u.PasswordHash = entra.HashPassword(password)
	var record store.Record
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		if err := s.saveUser(tx, call.Caller.Tenant, u, nil); err != nil {
			return err
		}
		record, err = tx.Get(entra.KindUser, u.ID)
		return err
	})
	if err != nil {
		return conflict(err)
	}
	return s.replyCreated(w, call, collectionOf(entra.KindUser), record)
}

// readUser reads what a client may say of a user, and gives the new password.
func readUser(b *body, u *entra.User) (password string) {
	b.text("displayName", &u.DisplayName, maxName)
	b.text("userPrincipalName", &u.UserPrincipalName, 113) // 64 before the @ and 48 after it
	b.text("givenName", &u.GivenName, 64)
	b.text("surname", &u.Surname, 64)
	b.text("mail", &u.Mail, maxName)
	b.text("mailNickname", &u.MailNickname, 64)
	b.text("onPremisesImmutableId", &u.ImmutableID, maxName)
	b.boolean("accountEnabled", &u.AccountEnabled)
	kept := map[string]string{}
	for _, name := range profile {
		value := u.Profile[name]
		if b.text(name, &value, maxName); value != "" {
			kept[name] = value
		}
	}
	u.Profile = kept
	if value := u.Profile["userType"]; value != "" && value != "Member" && value != "Guest" {
		b.invalid("userType", "")
	}
	var in struct {
		Password *string `json:"password"`
		Force    *bool   `json:"forceChangePasswordNextSignIn"`
		ForceMFA *bool   `json:"forceChangePasswordNextSignInWithMfa"`
	}
	if !b.decode("passwordProfile", &in) {
		return ""
	}
	if in.Force != nil {
		u.ForceChange = *in.Force
	} else if in.Password != nil {
		u.ForceChange = true
	}
	if in.Password == nil {
		return ""
	}
	if !entra.StrongPassword(*in.Password) {
		b.fail(api.BadRequest("Request_BadRequest", "password", "The specified password does not comply with password complexity requirements. Please provide a different password."))
	}
	return *in.Password
}

func (s *Graph) saveUser(tx *store.Tx, tenant string, u entra.User, old *entra.User) error {
	if old == nil || u.UserPrincipalName != old.UserPrincipalName {
		t, _, err := store.Load[entra.Tenant](tx, entra.KindTenant, tenant)
		if err != nil {
			return err
		}
		name, domain, _ := strings.Cut(u.UserPrincipalName, "@")
		if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("'.-_!#^~", r)
		}) {
			return api.BadRequest("Request_BadRequest", "userPrincipalName", "Property userPrincipalName is invalid.")
		}
		if !slices.ContainsFunc(t.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return api.BadRequest("Request_BadRequest", "userPrincipalName", "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
		}
	}
	return entra.PutUser(tx, tenant, u)
}

// Source: user-update.md.
func (s *Graph) updateUser(w http.ResponseWriter, call *api.Call, t target) error {
	raw, err := readBody(call, "User", false)
	if err != nil {
		return err
	}
	// Hashed before the transaction, which may run again.
	first := raw.again()
	hash := ""
	if password := readUser(first, &entra.User{}); password != "" && first.err == nil {
		hash = entra.HashPassword(password)
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		u, err := store.Decode[entra.User](record)
		if err != nil {
			return err
		}
		old, b := u, raw.again()
		for _, name := range []string{"displayName", "userPrincipalName", "mailNickname"} {
			if b.has(name) {
				b.require(name)
			}
		}
		readUser(b, &u)
		if err := b.done(); err != nil {
			return err
		}
		if hash != "" { // what the old one gave is revoked: entra-docs refresh-tokens.md, "Token revocation"
			u.PasswordHash, u.ValidFrom = hash, s.now().UTC()
		}
		if old.AccountEnabled && !u.AccountEnabled {
			last, err := entra.LastAdministrator(tx, record.Tenant, record.ID)
			if err != nil {
				return err
			}
			if last {
				return api.BadRequest("Request_BadRequest", "accountEnabled", "'%s' is the last Global Administrator of the tenant and can't be disabled.", record.ID)
			}
		}
		return s.saveUser(tx, record.Tenant, u, &old)
	})
	if err != nil {
		return conflict(err)
	}
	return noContent(w, call)
}

// Source: user-delete.md.
func (s *Graph) deleteUser(w http.ResponseWriter, call *api.Call, t target) error {
	return s.deleteObject(w, call, t)
}

// ownProperties are what users may change of themselves.
// Source: entra-docs users-default-permissions.md.
var ownProperties = []string{"mobilePhone"}

// userChanges asks for what the properties of a PATCH need, and for more when
// the user has a directory role.
func (s *Graph) userChanges(call *api.Call, t target) (needs []api.Permission, err error) {
	b, err := peekBody(call, "User")
	if err != nil {
		return nil, err
	}
	mine, err := s.self(call, t)
	if err != nil && !isClientError(err) {
		return nil, err
	}
	sensitive := false
	for name := range b.values {
		if mine && slices.Contains(ownProperties, name) {
			needs = append(needs, updateSelf)
			continue
		}
		switch name {
		case "passwordProfile":
			needs, sensitive = append(needs, changePasswords), true
		case "accountEnabled":
			needs, sensitive = append(needs, changeAccounts), true
		default:
			needs = append(needs, createUsers)
			sensitive = sensitive || name == "userPrincipalName" || name == "mobilePhone"
		}
	}
	if len(needs) == 0 { // nobody learns by an empty change whether there is such a user
		needs = []api.Permission{createUsers}
	}
	if sensitive {
		more, err := s.administrator(call, t)
		return append(needs, more...), err
	}
	return needs, nil
}

// administrator asks for a higher role where the user has a directory role.
func (s *Graph) administrator(call *api.Call, t target) (needs []api.Permission, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		protected, err := entra.HasDirectoryRole(tx, record.ID)
		if needs = nil; protected {
			needs = []api.Permission{changeAdministrators}
		}
		return err
	})
	return needs, err
}
