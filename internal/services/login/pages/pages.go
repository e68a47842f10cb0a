// Package pages renders the HTML that people see while they sign in, in English
// and Japanese. It renders and decides nothing: it knows neither routes nor the
// directory, and each page is a value that a handler fills and gives to Write.
//
// The pages need no script, load nothing, and say that they are Sekisho's: they
// are reached under the names of Azure, and must not pass for Microsoft's.
package pages

// Frame is what every page has.
type Frame struct {
	Lang   Lang
	Tenant string // display name of the organization; may be empty
	App    string // display name of the application that is signed in to; may be empty
	Action string // URL that the form posts to
	Flow   string // opaque: hidden field "flow"
}

// Account is a choice of Picker and SignOut.
type Account struct {
	Value    string // what the button posts in field "account"
	Name     string // display name; may be empty
	Username string
	SignedIn bool
}

// Permission is one line of what an application asks for.
type Permission struct{ Name, Description string }

// SignIn asks for name and password: fields login, passwd and kmsi ("true" if
// checked); action is signin or cancel.
type SignIn struct {
	Frame
	Username string // filled in already; may be empty
	Problem  Problem
	Keep     bool // kmsi is checked
}

// Picker asks which account is meant: field account, empty for another one than
// those listed.
type Picker struct {
	Frame
	Accounts []Account
}

// Consent asks whether an application may have permissions: action is accept or
// cancel; org is "true" if consent is given for all users.
type Consent struct {
	Frame
	Username, Publisher string // Publisher may be empty: not known
	Permissions         []Permission
	// Admin says that consent is asked of an administrator, for all users.
	Admin bool
	// CanConsentForOrganization offers the checkbox org.
	CanConsentForOrganization bool
}

// AdminNeeded tells users that they may not consent themselves; action is
// cancel.
type AdminNeeded struct {
	Frame
	Username    string
	Permissions []Permission
}

// DeviceCode asks for the code that a device shows: field otc, as it was typed
// (in any case).
type DeviceCode struct {
	Frame
	Code    string // filled in already; may be empty
	Problem Problem
}

// DeviceConfirm asks whether the sign-in on a device is the user's own: action
// is continue or cancel.
type DeviceConfirm struct {
	Frame
	Username, Code string
}

// ChangePassword asks for a new password: fields passwd, newpasswd and
// confirmnewpasswd; action is change or cancel.
type ChangePassword struct {
	Frame
	Username string
	Problem  Problem
}

// SignOut asks which account to sign out of: field account.
type SignOut struct {
	Frame
	Accounts []Account
}

// MessageKind is what a Message says.
type MessageKind string

// What there is to say at the end of a way.
const (
	SignedOut      MessageKind = "SignedOut"
	DeviceDone     MessageKind = "DeviceDone"
	DeviceDeclined MessageKind = "DeviceDeclined"
	NativeClient   MessageKind = "NativeClient" // the client has read its answer from the URL
)

// Message says that something is done; it has no form.
type Message struct {
	Frame
	Kind MessageKind
	// FrontChannel are logout URLs of applications, called in hidden frames.
	// Those that are not http or https are left out: one application's mistake
	// does not keep the others signed in.
	FrontChannel []string
	// Continue is an http or https URL to go on to; may be empty. With
	// FrontChannel a script follows it once the frames have loaded.
	Continue string
}

// Error says why a sign-in can't go on.
type Error struct {
	Frame
	Code                                int    // AADSTS number, 0 for none
	Text                                string // in English, without the number
	RequestID, CorrelationID, Timestamp string
}

// FormPost carries an answer to an application in a form: response_mode=form_post.
// A script submits it; without scripts a button does.
type FormPost struct {
	URL    string // http or https
	Fields [][2]string
	Lang   Lang
}

// page is what Write needs of a page: its frame, the name of its template, the
// key of its title, and what its policy lets through.
type page interface {
	frame() Frame
	names() (template, title string)
	guard() (guard, error)
}

func (f Frame) frame() Frame    { return f }
func (p FormPost) frame() Frame { return Frame{Lang: p.Lang} }

func (SignIn) names() (string, string)         { return "signin.html", "signin.title" }
func (Picker) names() (string, string)         { return "picker.html", "picker.title" }
func (Consent) names() (string, string)        { return "consent.html", "consent.title" }
func (AdminNeeded) names() (string, string)    { return "adminneeded.html", "adminneeded.title" }
func (DeviceCode) names() (string, string)     { return "devicecode.html", "devicecode.title" }
func (DeviceConfirm) names() (string, string)  { return "deviceconfirm.html", "deviceconfirm.title" }
func (ChangePassword) names() (string, string) { return "changepassword.html", "changepassword.title" }
func (SignOut) names() (string, string)        { return "signout.html", "signout.title" }
func (p Message) names() (string, string)      { return "message.html", "message." + string(p.Kind) }
func (Error) names() (string, string)          { return "error.html", "error.title" }
func (FormPost) names() (string, string)       { return "formpost.html", "formpost.title" }
