package pages

import "slices"

// Problem is why a page is shown again. The empty one is none.
type Problem string

// Problems, with the AADSTS number that each stands for. Whether an account
// exists is never told: an unknown one is a WrongPassword.
// Source: entra-docs reference-error-codes.md.
const (
	WrongPassword   Problem = "WrongPassword" // 50126, and 50034
	MissingUsername Problem = "MissingUsername"
	MissingPassword Problem = "MissingPassword"
	Locked          Problem = "Locked"          // 50053
	Disabled        Problem = "Disabled"        // 50057
	Throttled       Problem = "Throttled"       // too many attempts from one source
	PasswordExpired Problem = "PasswordExpired" // 50055, or the first sign-in: shown on ChangePassword
	NotInTenant     Problem = "NotInTenant"     // 50020
	SessionExpired  Problem = "SessionExpired"  // flow is not (or no longer) valid
	WrongCode       Problem = "WrongCode"       // 70019
	ExpiredCode     Problem = "ExpiredCode"     // 70020
	WrongOld        Problem = "WrongOld"        // the present password, on ChangePassword
	Weak            Problem = "Weak"            // the new password: too simple
	Same            Problem = "Same"            // the new password is the present one
	Mismatch        Problem = "Mismatch"        // the new password is typed in two ways
)

// blamed are the fields whose content is the problem. The other problems are
// about no field.
var blamed = map[Problem][]string{
	WrongPassword:   {"login", "passwd"},
	MissingUsername: {"login"},
	MissingPassword: {"passwd"},
	NotInTenant:     {"login"},
	WrongCode:       {"otc"},
	ExpiredCode:     {"otc"},
	WrongOld:        {"passwd"},
	Weak:            {"newpasswd"},
	Same:            {"newpasswd"},
	Mismatch:        {"newpasswd", "confirmnewpasswd"},
}

// Blames tells a template whether to mark a field as invalid.
func (p Problem) Blames(field string) bool { return slices.Contains(blamed[p], field) }

// problem makes the title of a page say that it has one.
func (p SignIn) problem() Problem     { return p.Problem }
func (p DeviceCode) problem() Problem { return p.Problem }
func (p ChangePassword) problem() Problem {
	if p.Problem == PasswordExpired {
		return "" // the reason of the page, not a mistake on it
	}
	return p.Problem
}

// Focus is the field to begin with.
func (p SignIn) Focus() string {
	if p.Username == "" || p.Problem == MissingUsername || p.Problem == NotInTenant {
		return "login"
	}
	return "passwd"
}
